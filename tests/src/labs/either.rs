//! OpenLDAP and 389 DS behind one face, so that one test runs against both.

use super::directory::Directory;
use super::ds389::Ds389;
use super::slapd::{Extras, Seed, Slapd};
use std::ops::Deref;

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    OpenLdap,
    Ds389,
}

impl Make {
    pub const BOTH: [Make; 2] = [Make::OpenLdap, Make::Ds389];

    /// The id of the n-th entry, as this server writes it.
    pub fn id(self, n: u32) -> String {
        match self {
            Make::OpenLdap => format!("00000000-0000-4000-8000-{n:012}"),
            Make::Ds389 => format!("00000000-00004000-80000000-{n:08}"),
        }
    }

    /// The LDIF line that gives an entry this id.
    pub fn id_line(self, n: u32) -> String {
        match self {
            Make::OpenLdap => format!("entryUUID: {}\n", self.id(n)),
            Make::Ds389 => format!("nsUniqueId: {}\n", self.id(n)),
        }
    }

    /// The login that may do everything, with its password.
    pub fn admin(self) -> (&'static str, &'static str) {
        match self {
            Make::OpenLdap => (Slapd::ADMIN_DN, Slapd::ADMIN_PASSWORD),
            Make::Ds389 => (Ds389::ADMIN_DN, Ds389::ADMIN_PASSWORD),
        }
    }

    /// The product and its version: `OpenLDAP 2.5.13`.
    pub fn server(self) -> String {
        match self {
            Make::OpenLdap => format!("OpenLDAP {}", Slapd::version()),
            Make::Ds389 => format!("389 Directory Server {}", Ds389::version()),
        }
    }
}

/// A running server of either make.
pub enum Lab {
    OpenLdap(Slapd),
    Ds389(Ds389),
}

impl Deref for Lab {
    type Target = Directory;
    fn deref(&self) -> &Directory {
        match self {
            Lab::OpenLdap(lab) => lab,
            Lab::Ds389(lab) => lab,
        }
    }
}

impl Lab {
    /// Starts one; the extras are OpenLDAP's.
    pub fn of(make: Make, seed: Seed, extras: Extras<'_>) -> Lab {
        match make {
            Make::OpenLdap => Lab::OpenLdap(Slapd::start_with(seed, extras)),
            Make::Ds389 => Lab::Ds389(Ds389::start(&seed, &[])),
        }
    }

    /// Ends the server as a crash does, and starts it again over the same database.
    pub fn restart(&mut self) {
        match self {
            Lab::OpenLdap(lab) => {
                lab.stop();
                lab.run();
            }
            Lab::Ds389(lab) => {
                lab.stop();
                lab.run();
            }
        }
    }

    /// Lines of the server's log that tell of a write by a client.
    pub fn writes(&self) -> Vec<String> {
        match self {
            Lab::OpenLdap(lab) => lab.writes(),
            Lab::Ds389(lab) => lab.writes(),
        }
    }
}
