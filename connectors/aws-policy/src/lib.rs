//! May this AWS principal do this action on this resource, and which statement decides?
//!
//! A pure library: documents and facts come in, a [`Decision`] with its grounds comes out. What is
//! not known stays unknown: the answer is `Undecided` and names the keys, documents or rules that
//! it depends on, unless it is the same either way. The README says what is decided and what not.

mod answer;
mod asker;
mod complete;
mod condition;
mod context;
mod document;
mod json;
mod layers;
mod pattern;
mod principal;
mod question;
mod resource;
mod truth;
mod weigh;

pub use answer::{Cited, Decision, Denial, Lack, Layer, Reason, Why};
pub use asker::Asker;
pub use context::{Context, Value};
pub use document::{Effect, Fault, Kind, Policy};
pub use pattern::Version;
pub use principal::Principal;
pub use question::{Document, Grant, Grants, Guardrails, Holder, Level, Question, Target};
pub use resource::Resource;
