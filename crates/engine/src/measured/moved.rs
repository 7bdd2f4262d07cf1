//! Somebody who moved: only what they may no longer hold is to be closed.

use super::held::{HeldKind, Left, Names};
use std::collections::BTreeSet;

/// What a policy says of holding an entitlement after a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterMove {
    MayHold,
    MayNotHold,
    /// It cannot be said, and why.
    NotDecided(String),
}

impl Left {
    /// The same with only those entitlements to be measured that may no longer be held. What is not
    /// decided is not measured, and is missing for a pass.
    pub fn after_a_move(mut self, mut says: impl FnMut(&Names) -> AfterMove) -> Left {
        let mut missing = BTreeSet::new();
        for held in self.held.iter_mut().filter(|held| !held.beside) {
            held.beside = match held.kind {
                // What they sign in with stays theirs, and is a way to what does not.
                HeldKind::Account | HeldKind::Credential | HeldKind::Session => true,
                HeldKind::Location | HeldKind::Control => {
                    missing.insert(format!(
                        "{} of {}: no policy says whether they may still have it without an entitlement",
                        held.kind.word(),
                        held.names
                    ));
                    true
                }
                HeldKind::Entitlement => match says(&held.names) {
                    AfterMove::MayHold if held.leads_on => {
                        missing.insert(format!(
                            "entitlement {} leads to others: whether they may hold those is not judged",
                            held.names
                        ));
                        true
                    }
                    AfterMove::MayHold => true,
                    AfterMove::MayNotHold => false,
                    AfterMove::NotDecided(why) => {
                        missing.insert(format!("entitlement {}: {why}", held.names));
                        true
                    }
                },
            };
        }
        self.missing.extend(missing);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{held, left, line};
    use super::super::{MeasuredLeaver, measure};
    use super::*;
    use crate::lifecycle::{Plan, Verdict};
    use lastkey_contract::facts::LifecycleEvent;

    /// Ann's move: her account stays, `old` she may not hold any more, `new` she may, of `odd` it is not
    /// decided.
    fn moved(entitlements: &[(&str, &str)]) -> MeasuredLeaver {
        let mut things = vec![held(HeldKind::Account, "ann", "0:open 9:open")];
        let of = |(id, reads): &(&str, &str)| held(HeldKind::Entitlement, id, reads);
        things.extend(entitlements.iter().map(of));
        let mut left = left(things, &[]);
        left.event = LifecycleEvent::Mover;
        let left = left.after_a_move(|names| match names.id.as_str() {
            "old" => AfterMove::MayNotHold,
            "new" => AfterMove::MayHold,
            _ => AfterMove::NotDecided("no policy speaks for it".to_owned()),
        });
        let limit = "[[limit]]\non = \"mover\"\nwithin = \"4h\"\n";
        measure(left, &Plan::parse(limit).unwrap())
    }

    #[test]
    fn only_what_may_not_be_held_any_more_is_measured() {
        let all = moved(&[("old", "0:open 2:gone"), ("new", "0:open 9:open")]);
        let ids: Vec<&str> = all.items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["old"]);
        assert_eq!(all.verdict, Verdict::Pass, "{:?}", all.missing_facts);
        assert_eq!(
            line(&all, "old"),
            line(&moved(&[("old", "0:open 2:gone")]), "old")
        );
    }

    #[test]
    fn what_they_may_hold_and_leads_on_is_no_pass() {
        let mut group = held(HeldKind::Entitlement, "new", "0:open 9:open");
        group.leads_on = true;
        let left = left(vec![group], &[]).after_a_move(|_| AfterMove::MayHold);
        let measured = measure(left, &Plan::default());
        assert_eq!(measured.verdict, Verdict::Indeterminate);
        let said = "entitlement ad:new leads to others: whether they may hold those is not judged";
        assert_eq!(measured.missing_facts, [said]);
    }

    #[test]
    fn what_stays_beyond_the_limit_of_a_move_fails() {
        let kept = moved(&[("old", "0:open 9:open")]);
        assert_eq!(kept.verdict, Verdict::Fail);
        assert_eq!(kept.items[0].limit_source, "plan");
    }

    #[test]
    fn what_is_not_decided_is_no_pass_and_no_fail() {
        let unsure = moved(&[("odd", "0:open 9:open")]);
        assert_eq!(unsure.items, []);
        assert_eq!(unsure.verdict, Verdict::Indeterminate);
        assert_eq!(
            unsure.missing_facts,
            ["entitlement ad:odd: no policy speaks for it"]
        );
        let read = {
            let things = vec![held(HeldKind::Location, "/db", "0:open 9:open")];
            measure(
                left(things, &[]).after_a_move(|_| AfterMove::MayHold),
                &Plan::default(),
            )
        };
        assert_eq!(read.verdict, Verdict::Indeterminate);
    }
}
