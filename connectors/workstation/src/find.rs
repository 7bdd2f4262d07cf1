//! One thing that was found in a file. It holds the value, hidden by type and wiped on drop, as long
//! as the file is looked at; what is kept of it is in `walk::Kept`.

use std::fmt;
use zeroize::Zeroizing;

/// The value of a find: hidden, and wiped.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Zeroizing<Vec<u8>>);

impl Value {
    pub fn new(bytes: &[u8]) -> Value {
        Value(Zeroizing::new(bytes.to_vec()))
    }
    /// Takes the text over.
    pub fn owned(bytes: Vec<u8>) -> Value {
        Value(Zeroizing::new(bytes))
    }
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(hidden)")
    }
}

/// A credential that the place itself names. None of these is a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// The id of an AWS access key; `secret` where its secret stands there as well.
    AwsKey { id: String, secret: Beside },
    /// The fingerprint of a public key, `SHA256:…`, and what its line calls it.
    SshKey { print: String, comment: String },
    /// A public key that opens the account whose file it is.
    Authorized { print: String, comment: String },
    /// The id of a service account's key and the account's mail.
    GoogleKey { id: String, mail: String },
    /// A user of a kubeconfig.
    KubeUser { name: String },
}

/// Whether the secret of a named credential stands beside its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Beside {
    Secret,
    NameOnly,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// The word of the rule.
    pub rule: &'static str,
    /// The name of the field, where the place has fields.
    pub field: Option<String>,
    /// Counted from 1, where lines are counted.
    pub line: Option<u64>,
    /// None where the file as a whole is the secret, or nothing secret stands there.
    pub value: Option<Value>,
    pub named: Option<Named>,
}

impl Find {
    /// A value in a line.
    pub fn in_line(rule: &'static str, line: u64, value: Value) -> Find {
        Find {
            rule,
            field: None,
            line: Some(line),
            value: Some(value),
            named: None,
        }
    }

    /// A value in a field.
    pub fn in_field(rule: &'static str, field: String, line: Option<u64>, value: Value) -> Find {
        Find {
            rule,
            field: Some(field),
            line,
            value: Some(value),
            named: None,
        }
    }

    /// Where in its file it stands: its field, else its line, else nothing: the whole file.
    pub fn label(&self) -> String {
        match (&self.field, self.line) {
            (Some(field), _) => field.clone(),
            (None, Some(line)) => format!("L{line}"),
            (None, None) => String::new(),
        }
    }
}
