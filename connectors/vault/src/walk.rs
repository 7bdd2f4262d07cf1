//! The names of a section, one at a time: a flat list, or a tree of folders in sorted order.

use crate::api::{Api, Got};
use lastkey_contract::ConnectorError;

/// Folders in folders after which a tree is not believed.
const DEEPEST: usize = 200;

/// A walk through a tree of names, where a folder ends in a slash.
#[derive(Debug, Default)]
pub struct Walk {
    /// The folders that are open, each with its names and the next one's number.
    open: Vec<(String, Vec<String>, usize)>,
    started: bool,
    /// The name that was handed out last.
    pub last: Option<String>,
}

/// The next step of a walk.
#[derive(Debug)]
pub enum Step {
    Name(String),
    /// A folder that this login may not list, or that lies too deep.
    Closed(String),
    End,
}

impl Walk {
    /// A walk that starts after a name.
    pub fn after(name: Option<&str>) -> Walk {
        Walk {
            last: name.map(str::to_owned),
            ..Walk::default()
        }
    }

    /// The next name. `list` is the path that is listed for a folder; the root is the empty one.
    pub async fn next(
        &mut self,
        api: &mut Api,
        list: &(dyn Fn(&str) -> String + Send + Sync),
        operation: &str,
    ) -> Result<Step, ConnectorError> {
        // Where a call fails, the next one goes on at the same place.
        if !self.started {
            let after = self.last.clone();
            if let Some(closed) = self
                .enter("", after.as_deref(), api, list, operation)
                .await?
            {
                self.started = true;
                return Ok(closed);
            }
            self.started = true;
        }
        loop {
            let Some((prefix, names, next)) = self.open.last() else {
                return Ok(Step::End);
            };
            let Some(name) = names.get(*next) else {
                self.open.pop();
                continue;
            };
            let whole = format!("{prefix}{name}");
            let after = self
                .last
                .clone()
                .filter(|last| whole.ends_with('/') && last.starts_with(&whole));
            let step = match whole.ends_with('/') {
                true if self.open.len() >= DEEPEST => Some(Step::Closed(whole.clone())),
                true => {
                    let at = self.open.len();
                    let closed = self
                        .enter(&whole, after.as_deref(), api, list, operation)
                        .await?;
                    self.count(at);
                    closed
                }
                false => {
                    self.count(self.open.len());
                    self.last = Some(whole.clone());
                    return Ok(Step::Name(whole));
                }
            };
            if let Some(step) = step {
                if self.open.len() >= DEEPEST {
                    self.count(self.open.len());
                }
                return Ok(step);
            }
        }
    }

    /// Marks the current name of the folder at this depth as done.
    fn count(&mut self, depth: usize) {
        if let Some((_, _, next)) = depth.checked_sub(1).and_then(|at| self.open.get_mut(at)) {
            *next += 1;
        }
    }

    /// Opens a folder, at the first name after `after`.
    async fn enter(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        api: &mut Api,
        list: &(dyn Fn(&str) -> String + Send + Sync),
        operation: &str,
    ) -> Result<Option<Step>, ConnectorError> {
        match api.list(&list(prefix), operation).await? {
            Got::Found(names) => {
                let first = after
                    .and_then(|after| after.strip_prefix(prefix))
                    .map_or(0, |rest| {
                        let part = match rest.find('/') {
                            Some(at) => rest.get(..=at).unwrap_or(rest),
                            None => rest,
                        };
                        names.partition_point(|name| {
                            name.as_str() < part || (name == part && !part.ends_with('/'))
                        })
                    });
                self.open.push((prefix.to_owned(), names, first));
                Ok(None)
            }
            Got::Absent => Ok(None),
            Got::Refused => Ok(Some(Step::Closed(prefix.to_owned()))),
        }
    }
}
