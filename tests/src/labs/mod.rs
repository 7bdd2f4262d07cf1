//! Labs: real servers on loopback, started and stopped by the test that needs them.
//!
//! Each lab takes free ports and a folder of its own, and ends with its value. A server that is
//! not installed fails the test and says what to install: nothing is skipped in silence.

mod aws_contract;
mod certificates;
mod directory;
mod ds389;
mod either;
mod ends;
mod kubernetes;
mod moto;
mod openbao;
mod openssl;
mod postgresql;
mod prism;
mod relay;
mod samba;
mod slapd;
mod sshd;

pub use aws_contract::{AwsContract, AwsPlan};
pub use directory::Directory;
pub use ds389::Ds389;
pub use either::{Lab, Make};
pub use kubernetes::{Kubernetes, Request, Told};
pub use moto::{Moto, MotoKey};
pub use openbao::{Answered, Audited, OpenBao};
pub use openssl::OpenSsl;
pub use postgresql::PostgreSql;
pub use prism::Prism;
pub use relay::{Relay, Then};
pub use samba::Samba;
pub use slapd::{Extras, HangingServer, Seed, Slapd};
pub use sshd::Sshd;

/// Says that a case did not run, and why; `./test` names it and judges whether it may.
pub fn not_run(server: &str, case: &str, why: &str) {
    use std::io::Write;
    if let Some(list) = std::env::var_os("LASTKEY_NOT_RUN") {
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(list)
            .and_then(|mut file| writeln!(file, "{server}\t{case}\t{why}"))
            .expect("the list of what did not run");
    }
}
