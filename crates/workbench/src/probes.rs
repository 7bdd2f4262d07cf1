//! Probes: does a system still take a credential? Tried only with consent on record, and never so often
//! that a server could lock the account.

use crate::bench::Workbench;
use crate::connectors;
use crate::failure::Failure;
use chrono::{TimeDelta, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{ProbeSpec, Secret, SourceName, SystemName, Tried};
use lastkey_engine::collect::Redactor;
use lastkey_engine::measured::Probed;
use lastkey_engine::probes::{
    Lockout, Proves, Try, control, may_try, proved, refused_since, standing,
};
use lastkey_engine::store::{NewProbe, ProbeRecord, SourceRecord};
use serde::Serialize;
use ts_rs::TS;

/// What a new probe is asked for.
#[derive(Clone, Debug)]
pub struct ProbeRequest {
    pub name: String,
    pub source: String,
    /// None where the source has one way only.
    pub how: Option<String>,
    /// `SYSTEM:ID`.
    pub account: String,
    /// What the system is told as the account; else the id.
    pub asked_as: Option<String>,
    pub credential: Option<String>,
    pub consent: ProbeConsent,
    /// None counts as the strictest server.
    pub lockout_after: Option<u32>,
    pub lockout_within: Option<TimeDelta>,
    pub secret: String,
}

/// By what leave a credential is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeConsent {
    /// It was made for this.
    Canary,
    /// It is somebody's, and this is the consent in words.
    Of { identity: String, words: String },
}

/// A probe as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ProbeView {
    pub name: String,
    pub how: String,
    /// `how` for people.
    pub title: String,
    pub source: String,
    pub system: String,
    pub account: String,
    pub identity: Option<String>,
    /// `canary`, or the words of the consent.
    pub consent: String,
    pub consent_by: String,
    pub consent_at: String,
    pub last: Option<Probed>,
    /// When it was last let in.
    pub control_at: Option<String>,
    /// How often it was not let in since.
    #[ts(type = "number")]
    pub refused_since: u32,
    /// Why it may not be tried now; null: it may.
    pub may_try: Option<String>,
    /// `works`, `dead`, `indeterminate`, `never tried`.
    pub verdict: String,
    pub why: String,
}

/// The words that stand for the consent to a canary.
const CANARY: &str = "canary";

impl Workbench {
    /// Keeps a probe with its consent, and its secret in the keychain. Nothing is tried yet.
    pub async fn add_probe(&self, request: ProbeRequest) -> Result<ProbeView, Failure> {
        let name = request.name.trim().to_owned();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Failure::bad_input("a probe needs a name of plain text"));
        }
        let source = SourceName::new(request.source.as_str());
        let found = self.store.source(&source).await?;
        let spec = spec(&found.kind, request.how.as_deref(), &request.source)?;
        // What the prober would refuse is refused now.
        let prober = connectors::prober(&found.kind, spec.how, &found.settings)?;
        let (system, account) = two_parts(&request.account, "--account")?;
        let credential = match &request.credential {
            Some(text) => {
                let (of, id) = two_parts(text, "--credential")?;
                if of != system {
                    return Err(Failure::bad_input(format!(
                        "--credential: `{text}` is not of the system `{system}` of the account"
                    )));
                }
                Some(id)
            }
            None => None,
        };
        let (identity, consent) = match request.consent {
            ProbeConsent::Canary => (None, CANARY.to_owned()),
            ProbeConsent::Of { identity, words } => {
                let words = words.trim().to_owned();
                if words.is_empty() {
                    return Err(Failure::bad_input("the consent is empty")
                        .hint("write who consented to what, and when: --consent TEXT"));
                }
                (Some(self.record_of(&identity).await?), words)
            }
        };
        let lockout = match (spec.can_lock, request.lockout_after, request.lockout_within) {
            (false, None, None) => None,
            (false, ..) => {
                return Err(Failure::bad_input(format!(
                    "{} locks nothing: --lockout-after and --lockout-within mean nothing here",
                    spec.title
                )));
            }
            (true, None, Some(_)) => {
                return Err(Failure::bad_input(
                    "--lockout-within goes with --lockout-after: after how many refused tries it locks",
                ));
            }
            (true, Some(0), _) => {
                return Err(Failure::bad_input(
                    "--lockout-after: a server cannot lock an account after no try",
                ));
            }
            (true, _, Some(within)) if within <= TimeDelta::zero() => {
                return Err(Failure::bad_input(
                    "--lockout-within: a server that forgets at once locks nothing",
                )
                .hint("leave it out where it is not known"));
            }
            (true, after, within) => Some(Lockout {
                after: after.unwrap_or(Lockout::STRICTEST.after),
                within,
            }),
        };
        let secret = secret_of(spec, request.secret)?;
        let new = NewProbe {
            name: name.clone(),
            source: request.source,
            how: spec.how.to_owned(),
            asked_as: request.asked_as.unwrap_or_else(|| account.clone()),
            system,
            account,
            credential,
            identity,
            consent,
            lockout,
            asked_by: asked_by(&found),
        };
        if let Some(why) = prober.unsendable(&new.asked_as) {
            return Err(Failure::bad_input(format!("`{}`: {why}", new.asked_as))
                .hint("say with --as what the system is told as the account"));
        }
        let mut shown = [
            &new.name,
            &new.consent,
            &new.system,
            &new.account,
            &new.asked_as,
        ]
        .into_iter()
        .chain(&new.credential);
        let secret_text = secret.expose().trim();
        if shown.any(|text| {
            text == secret_text || (secret_text.len() >= 4 && text.contains(secret_text))
        }) {
            return Err(Failure::bad_input(
                "what describes the probe holds the secret itself, and none of it is kept secret",
            ));
        }
        self.fits_account(&new, &found).await?;
        if self
            .store
            .probes()
            .await?
            .iter()
            .any(|one| one.of.name == name)
        {
            return Err(there_is_one(&name));
        }
        // The secret first: a probe without it could not be tried.
        self.secrets.put(&entry(&name), &secret)?;
        match self.store.add_probe(&new, Utc::now()).await {
            Ok(true) => {}
            Ok(false) => return Err(there_is_one(&name)),
            Err(error) => {
                self.secrets.forget(&entry(&name))?;
                return Err(error.into());
            }
        }
        self.probe(&name).await
    }

    /// Refuses a probe that could prove something of what it does not ask: its source has to tell of the
    /// system, a canary is nobody's, and whose consent it is has to be whose account it is.
    async fn fits_account(&self, new: &NewProbe, source: &SourceRecord) -> Result<(), Failure> {
        let (system, id) = (SystemName::new(new.system.as_str()), new.account.as_str());
        let (_, graph) = self.graph().await?;
        let own = source.settings.get("system").unwrap_or(new.source.as_str());
        let named = format!("{}:{}", new.system, new.account);
        let known = graph.known_account(&system, id);
        if own != new.system {
            return Err(Failure::bad_input(format!(
                "--account: `{}` is the system `{own}`, and says nothing of `{named}`",
                new.source
            ))
            .hint(format!("name an account of `{own}`")));
        }
        self.is_asked_as(new, known.is_some()).await?;
        let Some(known) = known else {
            return match (&new.credential, &new.identity) {
                (None, None) => Ok(()),
                _ => Err(Failure::bad_input(format!(
                    "there is no account `{named}`: whose it is nobody knows"
                ))
                .hint("read its source first, or make it a canary")),
            };
        };
        match (&known.owner, &new.identity) {
            (Some(owner), None) => {
                return Err(Failure::bad_input(format!(
                    "`{named}` is an account of `{owner}`, and no canary"
                ))
                .hint("give --identity and --consent"));
            }
            (Some(owner), Some(identity)) if !self.is_same_person(owner, identity).await? => {
                return Err(Failure::bad_input(format!(
                    "`{named}` is an account of `{owner}`, and not of `{identity}`"
                )));
            }
            _ => {}
        }
        match &new.credential {
            Some(credential) if !known.credentials.contains(credential) => {
                Err(Failure::bad_input(format!(
                    "--credential: `{named}` has no `{}:{credential}`",
                    new.system
                ))
                .hint("`lastkey credentials` lists them"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a probe that asks for another account than the one that it is of: a canary's name must be
    /// nobody's, and an account's own.
    async fn is_asked_as(&self, new: &NewProbe, is_known: bool) -> Result<(), Failure> {
        let (_, graph) = self.graph().await?;
        let system = SystemName::new(new.system.as_str());
        for name in [&new.asked_as, &new.account] {
            let named = self.store.accounts_named(&new.system, name).await?;
            for id in named.iter().filter(|id| **id != new.account) {
                let owner = graph.known_account(&system, id).and_then(|one| one.owner);
                if is_known {
                    return Err(Failure::bad_input(format!(
                        "`{name}` is the account `{}:{id}`, and not `{}:{}`",
                        new.system, new.system, new.account
                    ))
                    .hint("give the account that is asked for"));
                }
                if let Some(owner) = owner {
                    let by_its_id = format!("--account {}:{id}", new.system);
                    return Err(match new.identity {
                        Some(_) => Failure::bad_input(format!(
                            "`{name}` is what people call the account `{}:{id}` of `{owner}`",
                            new.system
                        ))
                        .hint(format!("name it by its id: {by_its_id}")),
                        None => Failure::bad_input(format!(
                            "`{name}` is an account of `{owner}` (`{}:{id}`), and no canary",
                            new.system
                        ))
                        .hint(format!("{by_its_id}, with --identity and --consent")),
                    });
                }
            }
            // A role's id is no name that sources tell.
            let is_its_own = named.contains(&new.account) || new.how.starts_with("vault");
            if is_known && *name == new.asked_as && *name != new.account && !is_its_own {
                return Err(Failure::bad_input(format!(
                    "no source tells that `{name}` is the account `{}:{}`",
                    new.system, new.account
                ))
                .hint("give its name as its source tells it: `lastkey history account SYSTEM:ID` shows that"));
            }
        }
        Ok(())
    }

    async fn is_same_person(&self, one: &str, other: &str) -> Result<bool, Failure> {
        let one = self.known_identity(one).await?;
        Ok(one == self.known_identity(other).await?)
    }

    /// `source:id` of somebody who is listed.
    pub(crate) async fn record_of(&self, text: &str) -> Result<String, Failure> {
        let person = self.known_person(text).await?;
        Ok(format!("{}:{}", person.source_name, person.id))
    }

    /// All probes, by name.
    pub async fn probes(&self) -> Result<Vec<ProbeView>, Failure> {
        let mut views = Vec::new();
        for one in self.store.probes().await? {
            views.push(self.probe_view(one).await?);
        }
        Ok(views)
    }

    /// Tries a credential once, and keeps what the system said.
    pub async fn try_probe(&self, name: &str) -> Result<ProbeView, Failure> {
        let probe = self.probe_record(name).await?;
        let source = SourceName::new(probe.of.source.as_str());
        let found = self.store.source(&source).await?;
        let prober = connectors::prober(&found.kind, &probe.of.how, &found.settings)?;
        let secret = self.secrets.get(&entry(name))?.ok_or_else(|| {
            Failure::key(format!("the secret of probe `{name}` is not there"))
                .hint("remove the probe and add it again with its secret")
        })?;
        if probe.of.asked_by != asked_by(&found) {
            return Err(Failure::not_possible(format!(
                "`{name}` was not tried: its source was changed since, and what was let in before was let in elsewhere"
            ))
            .hint("remove the probe and add it again"));
        }
        let begun = self.store.begin_try(&probe, Utc::now()).await?;
        let begun = begun.map_err(|why| {
            let failure = Failure::not_possible(format!("`{name}` was not tried: {why}"));
            match why.contains("may be tried again from") {
                true => failure.hint("wait until then"),
                false => failure.hint(
                    "add it again with --lockout-after N, and --lockout-within MINUTES, as its server counts: \
                     it has to be let in once more before a refusal proves anything",
                ),
            }
        })?;
        let tried = prober.try_once(&probe.of.asked_as, &secret).await;
        let until = Utc::now();
        let redactor = Redactor::new(&[secret]);
        let tried = Tried {
            answer: tried.answer,
            raw: redactor.clean(&tried.raw),
            why: tried.why.map(|why| redactor.clean(&why)),
        };
        self.store.keep_try((&probe, begun), until, &tried).await?;
        self.probe(name).await
    }

    /// Takes the consent back, and forgets the secret; what was tried stays on record.
    pub async fn remove_probe(&self, name: &str) -> Result<(), Failure> {
        self.probe_record(name).await?;
        self.secrets.forget(&entry(name))?;
        self.store.remove_probe(name, Utc::now()).await?;
        Ok(())
    }

    /// One probe.
    pub async fn probe(&self, name: &str) -> Result<ProbeView, Failure> {
        let probe = self.probe_record(name).await?;
        self.probe_view(probe).await
    }

    async fn probe_record(&self, name: &str) -> Result<ProbeRecord, Failure> {
        let mut all = self.store.probes().await?.into_iter();
        all.find(|one| one.of.name == name).ok_or_else(|| {
            Failure::bad_input(format!("there is no probe `{name}`"))
                .hint("`lastkey probe list` shows all")
        })
    }

    async fn probe_view(&self, probe: ProbeRecord) -> Result<ProbeView, Failure> {
        let of = &probe.of;
        let all = self.store.tries_of(of).await?;
        let now = Utc::now();
        let tries: Vec<Try> = probe.tries.iter().map(|one| one.of).collect();
        let (standing, why) = standing(&tries);
        let last = probe.tries.last().zip(proved(&tries).last());
        let strictest = of.lockout.unwrap_or(Lockout::STRICTEST);
        let kind = match self
            .store
            .find_source(&SourceName::new(of.source.as_str()))
            .await?
        {
            Some(source) => source.kind,
            None => String::new(),
        };
        let title = connectors::probe_specs(&kind)
            .iter()
            .find(|one| one.how == of.how);
        Ok(ProbeView {
            title: title.map_or(of.how.as_str(), |spec| spec.title).to_owned(),
            last: last.map(|(last, proves)| Probed {
                probe: of.name.clone(),
                from: last.of.from,
                until: last.of.until,
                answer: last.of.answer,
                raw: last.raw.clone(),
                why: last.why.clone(),
                counts: proves != Proves::Nothing,
                proves,
            }),
            control_at: control(&tries).map(rfc3339),
            refused_since: refused_since(&all, strictest, now),
            may_try: may_try(&all, of.lockout, now).err(),
            verdict: standing.word().to_owned(),
            why,
            name: probe.of.name,
            how: probe.of.how,
            source: probe.of.source,
            system: probe.of.system,
            account: probe.of.account,
            identity: probe.of.identity,
            consent: probe.of.consent,
            consent_by: probe.consent_by,
            consent_at: probe.consent_at,
        })
    }

    /// Tries whatever may be tried of somebody's accounts; what may not be tried yet waits.
    pub(crate) async fn try_probes_of(&self, identity: &str) -> Result<(), Failure> {
        for probe in self.store.probes().await? {
            if probe.of.identity.as_deref() != Some(identity) {
                continue;
            }
            let all = self.store.tries_of(&probe.of).await?;
            if may_try(&all, probe.of.lockout, Utc::now()).is_err() || is_settled(&probe) {
                continue;
            }
            // One that cannot be tried (its source or its secret is gone) holds up nobody's watch: what was
            // not tried proves nothing.
            let _not_tried = self.try_probe(&probe.of.name).await;
        }
        Ok(())
    }
}

/// A refusal with its positive control needs no other: each more is one that a server may count.
fn is_settled(probe: &ProbeRecord) -> bool {
    let tries: Vec<Try> = probe.tries.iter().map(|one| one.of).collect();
    probe.of.lockout.is_some() && proved(&tries).last() == Some(Proves::Closed)
}

/// What a source is asked by: another address or certificate is another server.
fn asked_by(source: &SourceRecord) -> String {
    serde_json::json!({ "kind": source.kind, "settings": source.settings }).to_string()
}

/// The name under which a probe's secret is kept.
pub(crate) fn entry(name: &str) -> String {
    format!("probe:{name}")
}

fn there_is_one(name: &str) -> Failure {
    Failure::bad_input(format!("there is a probe `{name}` already"))
        .hint("give another name, or take it away first: lastkey probe remove NAME")
}

fn spec(kind: &str, how: Option<&str>, source: &str) -> Result<&'static ProbeSpec, Failure> {
    let specs = connectors::probe_specs(kind);
    let all: Vec<&str> = specs.iter().map(|spec| spec.how).collect();
    let all = all.join(", ");
    match (how, specs) {
        (_, []) => Err(Failure::bad_input(format!(
            "no credential can be tried at `{source}`: {kind} has no probe"
        ))),
        (Some(how), specs) => specs.iter().find(|spec| spec.how == how).ok_or_else(|| {
            Failure::bad_input(format!("`{how}` is no probe of {kind}"))
                .hint(format!("it has {all}"))
        }),
        (None, [one]) => Ok(one),
        (None, _) => Err(Failure::bad_input(format!(
            "{kind} can be probed in several ways: say which with --how"
        ))
        .hint(format!("it has {all}"))),
    }
}

fn secret_of(spec: &ProbeSpec, text: String) -> Result<Secret, Failure> {
    let text = match spec.several_lines {
        true => text,
        false => {
            let one = text.trim_end_matches(['\r', '\n']).to_owned();
            if one.contains('\n') {
                return Err(Failure::bad_input(format!(
                    "the {} has several lines",
                    spec.secret
                )));
            }
            one
        }
    };
    match text.trim().is_empty() {
        true => Err(Failure::bad_input(format!(
            "the {} is empty: a server may take an empty one for a sign-in without a name",
            spec.secret
        ))
        .hint("give it with --secret-file FILE, or - to read it from standard input")),
        false => Ok(Secret::new(text)),
    }
}

fn two_parts(text: &str, option: &str) -> Result<(String, String), Failure> {
    match text.split_once(':') {
        Some((system, id)) if !system.is_empty() && !id.is_empty() => {
            Ok((system.to_owned(), id.to_owned()))
        }
        _ => Err(Failure::bad_input(format!(
            "{option}: `{text}` is not SYSTEM:ID"
        ))),
    }
}
