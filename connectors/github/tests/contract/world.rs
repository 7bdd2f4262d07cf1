//! What the contract server holds, who may see it, and how it answers.

use super::server::{Asked, Server, Told};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

/// Somebody's token.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The person's; None for an installed app.
    pub user: Option<&'static str>,
    /// Of the person in the organisation.
    pub role: Option<&'static str>,
    /// Of a classic token.
    pub scopes: Option<&'static str>,
    /// What is not shown: a text in the path, and the status that is given.
    pub hidden: Vec<(&'static str, u16)>,
}

/// One answer out of the ordinary.
#[derive(Clone, Debug)]
pub struct Odd {
    /// Only requests whose target holds this.
    pub target: &'static str,
    /// So many of them are answered as ever first.
    pub after: usize,
    /// How many are answered so.
    pub times: usize,
    pub told: Told,
}

/// Changes a world while it is read.
pub type Change = Box<dyn FnOnce(&mut World) + Send>;

/// What there is.
#[derive(Default)]
pub struct World {
    pub objects: BTreeMap<String, Value>,
    /// By path and the part of the query that counts; the name below which it stands, if any.
    pub lists: BTreeMap<String, (Option<&'static str>, Vec<Value>)>,
    pub logins: BTreeMap<String, Login>,
    pub odd: Vec<Odd>,
    /// Whether pages have marks, by which a client asks whether they changed.
    pub marks: bool,
    /// Done before so many requests more are answered.
    pub then: Option<(usize, Change)>,
    pub enterprise: Option<&'static str>,
    pub asked: Vec<Asked>,
}

/// A world behind a server.
pub struct Running {
    pub world: Arc<Mutex<World>>,
    pub server: Server,
}

impl World {
    /// Starts a server with it.
    pub fn run(self) -> Running {
        let world = Arc::new(Mutex::new(self));
        let answering = Arc::clone(&world);
        let server = Server::start(Arc::new(move |asked| {
            answering.lock().expect("the world is whole").answer(asked)
        }));
        Running { world, server }
    }

    pub fn object(&mut self, path: &str, value: Value) {
        self.objects.insert(path.to_owned(), value);
    }

    pub fn list(&mut self, path: &str, items: Vec<Value>) {
        self.lists.insert(path.to_owned(), (None, items));
    }

    pub fn below(&mut self, path: &str, field: &'static str, items: Vec<Value>) {
        self.lists.insert(path.to_owned(), (Some(field), items));
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        self.asked.push(asked.clone());
        if let Some((left, change)) = self.then.take() {
            match left {
                0 => change(self),
                left => self.then = Some((left - 1, change)),
            }
        }
        let odd = self.odd.iter_mut().find_map(|odd| {
            if !asked.target.contains(odd.target) || odd.times == 0 {
                return None;
            }
            if odd.after > 0 {
                odd.after -= 1;
                return None;
            }
            odd.times -= 1;
            Some(odd.told.clone())
        });
        if let Some(told) = odd {
            return told;
        }
        let mut told = self.plain(asked);
        let headers = [
            ("date", "Sun, 22 Nov 2026 10:00:00 GMT"),
            ("content-type", "application/json; charset=utf-8"),
            ("x-github-request-id", "C0DE:1"),
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "4990"),
            ("x-ratelimit-reset", "1795345200"),
        ];
        for (name, value) in headers {
            told.headers.push((name.to_owned(), value.to_owned()));
        }
        if let Some(version) = self.enterprise {
            told.headers
                .push(("x-github-enterprise-version".to_owned(), version.to_owned()));
        }
        let login = self.login(asked);
        if let Some(scopes) = login.and_then(|login| login.scopes) {
            told.headers
                .push(("x-oauth-scopes".to_owned(), scopes.to_owned()));
        }
        told
    }

    fn login(&self, asked: &Asked) -> Option<&Login> {
        let token = asked.header("authorization")?.strip_prefix("Bearer ")?;
        self.logins.get(token)
    }

    fn plain(&self, asked: &Asked) -> Told {
        if asked.method != "GET" {
            return refusal(405, "Only reading is answered here");
        }
        let Some(login) = self.login(asked) else {
            return refusal(401, "Bad credentials");
        };
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let Some(path) = path.strip_prefix("/api/v3") else {
            return refusal(404, "Not Found");
        };
        // Links lead by number where people ask by name.
        let path = path.replacen("/organizations/", "/orgs/", 1);
        if path == "/user" {
            return match login.user {
                Some(user) => told(&json!({ "id": 1, "login": user, "type": "User" })),
                None => refusal(403, "Resource not accessible by integration"),
            };
        }
        if path.starts_with("/user/memberships/orgs/") {
            return match login.role {
                Some(role) => told(&json!({ "state": "active", "role": role })),
                None => refusal(404, "Not Found"),
            };
        }
        let hidden = login
            .hidden
            .iter()
            .find(|(part, _)| asked.target.contains(part));
        if let Some((_, status)) = hidden {
            let words = match status {
                404 => "Not Found",
                422 => "Validation Failed",
                _ => "Resource not accessible by personal access token",
            };
            let mut told = refusal(*status, words);
            let name = "x-accepted-github-permissions".to_owned();
            told.headers.push((name, "members=read".to_owned()));
            return told;
        }
        if let Some(value) = self.objects.get(&path) {
            return told(value);
        }
        let asks: Vec<(&str, &str)> = query.split('&').filter_map(|p| p.split_once('=')).collect();
        let ask = |name: &str| {
            asks.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| *value)
        };
        let counts: Vec<String> = ["affiliation", "filter", "role"]
            .iter()
            .filter_map(|name| Some(format!("{name}={}", ask(name)?)))
            .collect();
        let key = match counts.is_empty() {
            true => path.clone(),
            false => format!("{path}?{}", counts.join("&")),
        };
        let Some((field, items)) = self.lists.get(&key) else {
            return refusal(404, "Not Found");
        };
        let number =
            |name: &str, usual: usize| ask(name).and_then(|v| v.parse().ok()).unwrap_or(usual);
        let size = number("per_page", 30).clamp(1, 100);
        let page = number("page", 1).max(1);
        let last = items.len().div_ceil(size).max(1);
        let shown: Vec<&Value> = items.iter().skip((page - 1) * size).take(size).collect();
        let mut answer = match field {
            None => told(&json!(shown)),
            Some(field) => told(&json!({ "total_count": items.len(), *field: shown })),
        };
        if page < last {
            let host = asked.header("host").unwrap_or_default();
            let own = path.replacen("/orgs/", "/organizations/", 1);
            let more: String = counts.iter().map(|count| format!("&{count}")).collect();
            let at =
                |page| format!("<https://{host}/api/v3{own}?per_page={size}{more}&page={page}>");
            let link = format!("{}; rel=\"next\", {}; rel=\"last\"", at(page + 1), at(last));
            answer.headers.push(("link".to_owned(), link));
        }
        if self.marks {
            let mut hasher = DefaultHasher::new();
            answer.body.hash(&mut hasher);
            let mark = format!("W/\"{:016x}\"", hasher.finish());
            if asked.header("if-none-match") == Some(mark.as_str()) {
                answer.status = 304;
                answer.body.clear();
            }
            answer.headers.push(("etag".to_owned(), mark));
        }
        answer
    }
}

impl Running {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("the world is whole")
    }

    /// What was asked since this was asked last.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.world().asked)
    }

    /// Requests that are none for reading.
    pub fn writes(&self) -> Vec<String> {
        let world = self.world();
        let writes = world.asked.iter().filter(|asked| asked.method != "GET");
        writes
            .map(|asked| format!("{} {}", asked.method, asked.target))
            .collect()
    }
}

fn told(value: &Value) -> Told {
    Told {
        status: 200,
        headers: Vec::new(),
        body: value.to_string().into_bytes(),
    }
}

/// A refusal in GitHub's words.
pub fn refusal(status: u16, message: &str) -> Told {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.to_string(),
    });
    Told {
        status,
        ..told(&body)
    }
}
