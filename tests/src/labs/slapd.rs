//! A real OpenLDAP server with TLS, memberof, password policy and last-bind, seeded from LDIF.

use super::directory::{self, Directory, program};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const LOG: &str = "slapd.log";

/// What a directory starts with.
#[derive(Clone, Debug, Default)]
pub struct Seed {
    /// Entries below [`Slapd::BASE`]; the base itself, `ou=people`, `ou=groups` and the logins are there.
    pub ldif: String,
    /// Entries that one search may return; None is no limit.
    pub size_limit: Option<u32>,
}

/// What else a slapd has, beside what every one of the lab has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras<'a> {
    /// Lines of slapd.conf before the database: schema, limits.
    pub global: &'a str,
    /// Lines of the database before its rules: overlays, indexes.
    pub database: &'a str,
    /// Rules of access instead of the lab's own; empty keeps those.
    pub access: &'a str,
}

/// A running slapd. Dropped, it is stopped and its folder is gone.
pub struct Slapd {
    directory: Directory,
}

impl Deref for Slapd {
    type Target = Directory;
    fn deref(&self) -> &Directory {
        &self.directory
    }
}

impl DerefMut for Slapd {
    fn deref_mut(&mut self) -> &mut Directory {
        &mut self.directory
    }
}

impl Slapd {
    pub const BASE: &'static str = "dc=example,dc=org";
    pub const ADMIN_DN: &'static str = "cn=admin,dc=example,dc=org";
    pub const ADMIN_PASSWORD: &'static str = "admin-4711-canary";
    /// May read everything but passwords, whose presence it may search for.
    pub const READER_DN: &'static str = "cn=reader,dc=example,dc=org";
    pub const READER_PASSWORD: &'static str = "reader-0815-canary";
    /// May read neither operational attributes nor passwords.
    pub const BLIND_DN: &'static str = "cn=blind,dc=example,dc=org";
    pub const BLIND_PASSWORD: &'static str = "blind-2342-canary";
    /// Whoever signs in as this is refused, and the refusal says the password back.
    pub const ECHO_DN: &'static str = "cn=reader,dc=echo";

    /// Starts a directory. Panics with what to install or with slapd's own words.
    pub fn start(seed: Seed) -> Slapd {
        Slapd::start_with(seed, Extras::default())
    }

    /// [`Slapd::start`], with more in its configuration.
    pub fn start_with(seed: Seed, extras: Extras<'_>) -> Slapd {
        let mut lab = Slapd {
            directory: Directory::new(Self::ADMIN_DN, Self::ADMIN_PASSWORD),
        };
        echo(&lab.path("echo.sock"));
        fs::create_dir(lab.path("db")).expect("folder for the database");
        lab.configure(seed.size_limit, extras);
        lab.load(&seed.ldif);
        lab.run();
        lab
    }

    /// Restarts with another size limit for searches.
    pub fn set_size_limit(&mut self, limit: Option<u32>) {
        self.configure_again(limit, Extras::default());
    }

    /// Restarts with another configuration over the same database.
    pub fn configure_again(&mut self, limit: Option<u32>, extras: Extras<'_>) {
        self.stop();
        self.configure(limit, extras);
        self.run();
    }

    /// Starts the server again after [`Directory::stop`].
    pub fn run(&mut self) {
        let mut command = Command::new(program("slapd", "slapd"));
        command
            .args(["-d", "stats", "-f"])
            .arg(self.path("slapd.conf"))
            .args(["-h", &format!("{}/ {}/", self.ldap_url(), self.ldaps_url())]);
        self.directory.run(&mut command, LOG, &[LOG]);
    }

    /// The version of the program; empty where there is none.
    pub(super) fn version() -> String {
        directory::told_version("/usr/sbin/slapd", "-VV", "slapd ")
    }

    /// The server's own log (level stats).
    pub fn log(&self) -> String {
        self.text(LOG)
    }

    /// Lines of the log that tell of a write by a client.
    pub fn writes(&self) -> Vec<String> {
        directory::writes(&self.log())
    }

    fn configure(&self, size_limit: Option<u32>, extras: Extras<'_>) {
        let at = |name: &str| self.path(name).display().to_string();
        let size = match size_limit {
            None => "sizelimit unlimited".to_owned(),
            Some(n) => format!("sizelimit size.soft={n} size.hard={n} size.prtotal={n}"),
        };
        let (base, admin, reader, blind) =
            (Self::BASE, Self::ADMIN_DN, Self::READER_DN, Self::BLIND_DN);
        let own = format!(
            "access to attrs=userPassword by dn.exact=\"{reader}\" search by anonymous auth by * none\n\
             access to attrs=createTimestamp,creatorsName,modifyTimestamp,pwdChangedTime,pwdAccountLockedTime,authTimestamp,pwdLastSuccess by dn.exact=\"{reader}\" read by * none\n\
             access to * by dn.exact=\"{reader}\" read by dn.exact=\"{blind}\" read by anonymous auth by * none\n"
        );
        let Extras {
            global,
            database,
            access,
        } = extras;
        let access = if access.is_empty() { &own } else { access };
        let text = format!(
            "include /etc/ldap/schema/core.schema\n\
             include /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\n\
             include /etc/ldap/schema/nis.schema\n\
             modulepath /usr/lib/ldap\n\
             moduleload back_mdb\nmoduleload back_sock\nmoduleload memberof\nmoduleload ppolicy\nmoduleload lastbind\nmoduleload syncprov\nmoduleload refint\n\
             pidfile {}\n\
             TLSCACertificateFile {}\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\n\
             loglevel stats\n{size}\n{global}\n\
             database mdb\nsuffix \"{base}\"\nrootdn \"{admin}\"\nrootpw {}\n\
             directory {}\nmaxsize 4294967296\ndbnosync\n\
             index objectClass,entryUUID,uid eq\nindex pwdChangedTime,userPassword pres\n\
             overlay memberof\n\
             overlay ppolicy\nppolicy_default \"cn=policy,{base}\"\nppolicy_use_lockout\n\
             overlay lastbind\n\
             {database}\n{access}\n\
             database sock\nsuffix \"dc=echo\"\nsocketpath {}\n",
            at("slapd.pid"),
            at("ca.pem"),
            at("server.pem"),
            at("server.key"),
            Self::ADMIN_PASSWORD,
            at("db"),
            at("echo.sock"),
        );
        fs::write(self.path("slapd.conf"), text).expect("slapd.conf");
    }

    fn load(&self, ldif: &str) {
        let base = Self::BASE;
        let mut text = format!(
            "dn: {base}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n\
             dn: ou=people,{base}\nobjectClass: organizationalUnit\nou: people\n\n\
             dn: ou=groups,{base}\nobjectClass: organizationalUnit\nou: groups\n\n\
             dn: cn=policy,{base}\nobjectClass: organizationalRole\nobjectClass: pwdPolicy\ncn: policy\npwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 3\npwdLockoutDuration: 0\n\n"
        );
        for (dn, password) in [
            (Self::READER_DN, Self::READER_PASSWORD),
            (Self::BLIND_DN, Self::BLIND_PASSWORD),
        ] {
            let cn = dn
                .trim_start_matches("cn=")
                .split(',')
                .next()
                .unwrap_or_default();
            text.push_str(&format!(
                "dn: {dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: {cn}\nuserPassword: {password}\n\n"
            ));
        }
        text.push_str(ldif);
        let file = self.path("seed.ldif");
        fs::write(&file, text).expect("seed.ldif");
        self.command(
            Command::new(program("slapadd", "slapd"))
                .arg("-q")
                .arg("-f")
                .arg(self.path("slapd.conf"))
                .arg("-l")
                .arg(&file),
        );
    }
}

/// Answers slapd's sock backend: every sign-in is refused, and its password said back.
fn echo(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a socket for the echo");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0u8; 8192];
            let count = stream.read(&mut asked).unwrap_or(0);
            let text = String::from_utf8_lossy(asked.get(..count).unwrap_or_default());
            let password = text
                .lines()
                .find_map(|line| line.strip_prefix("cred: "))
                .unwrap_or_default();
            let _gone_already = write!(
                stream,
                "RESULT\ncode: 49\nmatched:\ninfo: `{password}` is not the password\n"
            );
        }
    });
}

/// A server that accepts connections and never answers.
pub struct HangingServer {
    port: u16,
    held: Arc<AtomicUsize>,
}

impl HangingServer {
    /// Listens until the test program ends.
    pub fn start() -> HangingServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its port").port();
        let held = Arc::new(AtomicUsize::new(0));
        let counted = held.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || hold(stream));
            }
        });
        HangingServer { port, held }
    }

    /// How many have come so far, to hear nothing.
    pub fn connections(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Reads what comes and says nothing.
fn hold(mut stream: TcpStream) {
    let mut buffer = [0u8; 1024];
    let _ = stream.flush();
    while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
}
