//! Past leavers: every thing that they held, one line for each of them, the shares in time, and the page
//! that says whether all of them lost access in time.

use super::cells::cell;
use crate::lifecycle::Verdict;
use crate::measured::{
    Counting, Gap, Measured, MeasuredLeaver, Share, Shares, State, at_most, item_cells,
};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::when::rfc3339;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) const SUMMARY: &[&str] = &[
    "identity",
    "name",
    "event",
    "earliest",
    "latest",
    "verdict",
    "things",
    "in_time",
    "late",
    "still_open",
    "indeterminate",
    "closed_before",
    "missing_facts",
];

pub(super) const SHARES: &[&str] = &[
    "by",
    "of",
    "in_time",
    "late",
    "still_open",
    "indeterminate",
    "share",
    "share_low",
    "share_high",
    "at_least",
    "at_most",
];

/// So many things stand on the page; the table has all of them.
const WORST: usize = 100;
/// So many sentences on what is not known stand on the page.
const UNKNOWN: usize = 50;

/// The line of one thing.
pub(super) fn item(leaver: &MeasuredLeaver, item: &Measured) -> Vec<String> {
    let cells = item_cells(leaver, item);
    cells.iter().map(|text| cell(text)).collect()
}

/// The line of one leaver.
pub(super) fn summary(leaver: &MeasuredLeaver) -> Vec<String> {
    let states = leaver.items.iter().map(|item| item.state);
    let count = |state| {
        states
            .clone()
            .filter(|one| *one == state)
            .count()
            .to_string()
    };
    vec![
        cell(&leaver.identity),
        super::cells::known(leaver.name.as_ref()),
        leaver.event.to_owned(),
        leaver.earliest.map(rfc3339).unwrap_or_default(),
        rfc3339(leaver.latest),
        leaver.verdict.word().to_owned(),
        leaver.items.len().to_string(),
        count(State::InTime),
        count(State::Late),
        count(State::StillOpen),
        count(State::Indeterminate),
        leaver.closed_before.to_string(),
        super::cells::list(&leaver.missing_facts),
    ]
}

/// By what shares are told, of what, and the share.
fn each_share(shares: &Shares) -> impl Iterator<Item = (&'static str, &str, &Share)> {
    let kinds = shares.kinds.iter().map(|(of, one)| ("kind", *of, one));
    let systems = shares.systems.iter();
    let systems = systems.map(|(of, one)| ("system", of.as_str(), one));
    let months = shares.months.iter();
    let months = months.map(|(of, one)| ("month", of.as_str(), one));
    let all = std::iter::once(("all", "", &shares.all));
    all.chain(kinds).chain(systems).chain(months)
}

/// The lines of the shares.
pub(super) fn shares(shares: &Shares) -> impl Iterator<Item = Vec<String>> {
    let part = |part: Option<f64>| part.map(|part| format!("{part:.4}")).unwrap_or_default();
    each_share(shares).map(move |(by, of, share)| {
        vec![
            by.to_owned(),
            cell(of),
            share.in_time.to_string(),
            share.late.to_string(),
            share.still_open.to_string(),
            share.indeterminate.to_string(),
            part(share.share),
            part(share.interval.map(|(low, _)| low)),
            part(share.interval.map(|(_, high)| high)),
            part(share.at_least),
            part(share.at_most),
        ]
    })
}

/// What the page says about the period and the limits.
pub(super) struct Asked {
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// What is not known of the period as a whole.
    pub not_known: Vec<String>,
    pub plan: Option<String>,
}

/// What one thing on the page is sorted by, and its line.
struct Line {
    state: State,
    privileged: bool,
    lower: TimeDelta,
    cells: [String; 7],
}

/// How many of them have which verdict.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdicts {
    pass: u64,
    fail: u64,
    indeterminate: u64,
}

impl Verdicts {
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
            Verdict::Indeterminate => self.indeterminate += 1,
        }
    }

    fn all(&self) -> u64 {
        self.pass + self.fail + self.indeterminate
    }
}

/// The page, gathered while leavers go by.
#[derive(Default)]
pub(super) struct InTime {
    verdicts: Verdicts,
    /// Of whoever moved; None where no access policy is in force.
    pub movers: Option<Verdicts>,
    things: u64,
    gaps: BTreeMap<Gap, u64>,
    counting: Counting,
    worst: Vec<Line>,
    /// What is not known, and of how many leavers.
    unknown: BTreeMap<String, u64>,
}

impl InTime {
    pub fn add(&mut self, leaver: &MeasuredLeaver) {
        self.verdicts.add(leaver.verdict);
        self.counting.add(leaver);
        for fact in &leaver.missing_facts {
            *self.unknown.entry(fact.clone()).or_default() += 1;
        }
        for item in &leaver.items {
            self.things += 1;
            if let Some(gap) = item.gap {
                *self.gaps.entry(gap).or_default() += 1;
            }
            if item.state != State::InTime || item.gap.is_some() {
                self.worst.push(line(leaver, item));
            }
        }
        if self.worst.len() > WORST * 8 {
            self.keep_the_worst();
        }
    }

    fn keep_the_worst(&mut self) {
        let rank = |line: &Line| (line.state, line.privileged, line.lower);
        self.worst
            .sort_by(|a, b| (rank(b), &a.cells).cmp(&(rank(a), &b.cells)));
        self.worst.truncate(WORST);
    }

    /// The shares, and the page in Markdown.
    pub fn done(mut self, asked: &Asked) -> (Shares, String) {
        self.keep_the_worst();
        let shares = std::mem::take(&mut self.counting).done();
        let page = self.page(&shares, asked);
        (shares, page)
    }

    /// The answer, and the sentence that bears it.
    fn answer(&self, not_known: &[String]) -> (&'static str, String) {
        let leavers = self.verdicts.all();
        let of = |count: u64| match leavers {
            1 => "the one leaver".to_owned(),
            _ if count == leavers => format!("all {leavers} leavers"),
            _ => format!("{count} of {leavers} leavers"),
        };
        match (leavers, self.verdicts.fail, self.verdicts.indeterminate) {
            (0, _, _) if !not_known.is_empty() => (
                "Not known.",
                "No source tells of a leaver in the period; what it rests on does not cover it."
                    .to_owned(),
            ),
            (_, 0, 0) if !not_known.is_empty() => (
                "Not known.",
                format!(
                    "Everything that is known is proved closed within its limit, of {}; what it rests on \
                     does not cover the period.",
                    of(leavers)
                ),
            ),
            (0, _, _) => (
                "Nobody is known to have left.",
                "No source tells of a leaver in the period.".to_owned(),
            ),
            (_, 0, 0) => (
                "Yes.",
                format!(
                    "Everything is proved closed within its limit, of {}.",
                    of(leavers)
                ),
            ),
            (_, 0, unsure) => (
                "Not known.",
                format!(
                    "Nothing was seen open after its limit, and of {} it is not proved that everything \
                     was closed in time.",
                    of(unsure)
                ),
            ),
            (_, fail, unsure) => {
                let mut text = format!("Something was seen open after its limit, of {}.", of(fail));
                if unsure > 0 {
                    let _ = write!(text, " Of {} it is not known.", of(unsure));
                }
                ("No.", text)
            }
        }
    }

    fn page(&self, shares: &Shares, asked: &Asked) -> String {
        let (answer, because) = self.answer(&asked.not_known);
        let mut page = String::from("# Did every leaver lose access in time?\n\n");
        let mut say = |text: &str| {
            page.push_str(text);
            page.push('\n');
        };
        say(&format!("**{answer}** {because}\n"));
        let from = match asked.since {
            Some(since) => format!("who left {} or later", moment(since)),
            None => "whoever is known to have left".to_owned(),
        };
        let until = asked
            .until
            .map_or(String::new(), |until| format!(", before {}", moment(until)));
        let plan = match &asked.plan {
            Some(name) => format!("Limits are those of the plan {}.", plain(name)),
            None => "No plan was loaded: limits are the presets.".to_owned(),
        };
        say(&format!("Measured of {from}{until}. {plan}\n"));
        rows(
            &mut say,
            &["leavers", "verdict", ""],
            [
                (
                    self.verdicts.pass,
                    "pass",
                    "everything is proved closed within its limit",
                ),
                (
                    self.verdicts.fail,
                    "fail",
                    "something was seen open after its limit",
                ),
                (
                    self.verdicts.indeterminate,
                    "indeterminate",
                    "reads are missing or too far apart, or something about them is not known",
                ),
            ]
            .map(|(count, verdict, means)| [count.to_string(), verdict.into(), means.into()]),
        );
        for one in &asked.not_known {
            say(&format!("- not known: {}", plain(one)));
        }
        if !asked.not_known.is_empty() {
            say("");
        }
        if self.things > 0 {
            say("## How much was closed in time\n");
            rows(
                &mut say,
                &[
                    "of",
                    "in time",
                    "late",
                    "still open",
                    "indeterminate",
                    "share of the decided (95 %)",
                    "if all were decided",
                ],
                each_share(shares).map(|(by, of, share)| {
                    let of = match of {
                        "" => "everything".to_owned(),
                        of => format!("{by} {}", plain(of)),
                    };
                    [
                        of,
                        share.in_time.to_string(),
                        share.late.to_string(),
                        share.still_open.to_string(),
                        share.indeterminate.to_string(),
                        share.decided_in_words(),
                        share.ends_in_words(),
                    ]
                }),
            );
        }
        if !self.gaps.is_empty() {
            say("## Where claim and observation part\n");
            let gaps = self.gaps.iter();
            rows(
                &mut say,
                &["things", "what parts"],
                gaps.map(|(gap, count)| [count.to_string(), gap.in_words().to_owned()]),
            );
        }
        if !self.worst.is_empty() {
            say("## Worst first\n");
            rows(
                &mut say,
                &[
                    "who", "left", "what", "claimed", "observed", "limit", "verdict",
                ],
                self.worst.iter().map(|line| line.cells.clone()),
            );
            let shown = u64::try_from(self.worst.len()).unwrap_or(u64::MAX);
            if shown == WORST as u64 {
                say("These are the worst hundred; `items.csv` has everything.\n");
            }
        }
        say("## Movers\n");
        match &self.movers {
            None => say(
                "No access policy is in force: what whoever moved may no longer hold is not known, and `movers.csv` is empty.\n",
            ),
            Some(movers) if movers.all() == 0 => {
                say("Nobody is known to have moved in the period.\n");
            }
            Some(movers) => say(&format!(
                "By the access policy that is in force, of {} who moved: {} fail, {} indeterminate, {} pass. \
                 `movers.csv` has what each may no longer hold.\n",
                movers.all(),
                movers.fail,
                movers.indeterminate,
                movers.pass
            )),
        }
        if !self.unknown.is_empty() {
            say("## What is not known\n");
            let mut unknown: Vec<(&String, &u64)> = self.unknown.iter().collect();
            unknown.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
            let more = unknown.len().saturating_sub(UNKNOWN);
            unknown.truncate(UNKNOWN);
            rows(
                &mut say,
                &["leavers", "what"],
                unknown
                    .into_iter()
                    .map(|(fact, count)| [count.to_string(), plain(fact)]),
            );
            if more > 0 {
                say(&format!("{more} more; `summary.csv` has them all.\n"));
            }
        }
        page.push_str(HOW);
        page
    }
}

const HOW: &str = "\
## How this was measured

Each thing has two bounds. It was open for longer than the time between the event and the last read that
saw it open. It was closed within the time between the event and what proved it closed: the system's own
time of disabling or revoking it, an expiry that a read had shown before, the closing of the account that
leads to it, the first complete read that showed it closed or no more, or a try of its credential that was
refused. **In time** needs the longer bound to be within the limit, **late** the shorter one beyond it;
where the limit lies between them the answer is indeterminate. What the provisioning process claims stands
beside it and proves nothing.

`items.csv` has every thing with both bounds, what closed it, limit, claim and reason; `summary.csv` a line
for each leaver and mover; `tries.csv` every try of a credential with its consent, the raw answer and what it
proves; `shares.csv` the shares with their interval (Wilson, 95 %). What the people of a vendor had
stands under the vendor and under each of them, and counts once in the shares.

It does not prove that systems which were not read hold nothing, that a leaver knew no secret beside
those listed, or that whoever is not listed as a leaver did not leave.
";

fn line(leaver: &MeasuredLeaver, item: &Measured) -> Line {
    let who = match &leaver.name {
        Some(name) => format!("{name} ({})", leaver.identity),
        None => leaver.identity.clone(),
    };
    Line {
        state: item.state,
        privileged: item.privileged == Some(true),
        lower: item.lower,
        cells: [
            who,
            leaver.left_in_words(short),
            item.in_words(),
            leaver.claimed_in_words(item, short),
            item.observed_in_words(),
            at_most(item.limit),
            item.verdict_in_words(),
        ]
        .map(|text| plain(&text)),
    }
}

fn moment(at: DateTime<Utc>) -> String {
    short(&rfc3339(at))
}

/// A time to the minute.
fn short(text: &str) -> String {
    match text.parse::<DateTime<Utc>>() {
        Ok(at) => at.format("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// A table of Markdown.
fn rows<const N: usize>(
    say: &mut impl FnMut(&str),
    head: &[&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) {
    say(&format!("| {} |", head.join(" | ")));
    say(&format!("|{}", "---|".repeat(N)));
    for row in rows {
        say(&format!("| {} |", row.join(" | ")));
    }
    say("");
}

/// A text of others: it is shown, and is neither a mark nor a link.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in lastkey_verify::visible(text).chars() {
        if matches!(
            c,
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '~' | '&' | '!'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_is_no_mark() {
        let cases = [
            ("hr:p1", "hr:p1"),
            ("a|b", "a\\|b"),
            ("[x](http://y)", "\\[x\\](http://y)"),
            ("<script>", "\\<script\\>"),
            ("line\nbreak", "line\\\\u{a}break"),
        ];
        for (text, shown) in cases {
            assert_eq!(plain(text), shown);
        }
    }
}
