//! A real OpenLDAP server with TLS, memberof, password policy and last-bind, seeded from LDIF.

use super::certificates;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

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
    folder: TempDir,
    child: Option<Child>,
    ldap_port: u16,
    ldaps_port: u16,
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
        let folder = tempfile::tempdir().expect("a temporary folder for slapd");
        let mut lab = Slapd {
            folder,
            child: None,
            ldap_port: free_port(),
            ldaps_port: free_port(),
        };
        certificates::make(lab.folder.path(), &program("openssl", "openssl"));
        echo(&lab.path("echo.sock"));
        fs::create_dir(lab.path("db")).expect("folder for the database");
        lab.configure(seed.size_limit, extras);
        lab.load(&seed.ldif);
        lab.run();
        lab
    }

    /// `ldaps://127.0.0.1:port`.
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.ldaps_port)
    }
    /// `ldap://127.0.0.1:port`, for StartTLS.
    pub fn ldap_url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.ldap_port)
    }
    /// The port of [`Slapd::ldaps_url`], for a relay before it.
    pub fn ldaps_port(&self) -> u16 {
        self.ldaps_port
    }
    /// The CA that issued the server's certificate.
    pub fn ca_path(&self) -> PathBuf {
        self.path("ca.pem")
    }
    /// A CA that did not: whoever trusts only this one must refuse the server.
    pub fn other_ca_path(&self) -> PathBuf {
        self.path("other.pem")
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

    /// Stops the server; the database stays until the value is dropped.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts the server again after [`Slapd::stop`].
    pub fn run(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("slapd.log"))
            .expect("slapd's log");
        let child = Command::new(program("slapd", "slapd"))
            .args(["-d", "stats", "-f"])
            .arg(self.path("slapd.conf"))
            .args(["-h", &format!("{}/ {}/", self.ldap_url(), self.ldaps_url())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("slapd starts");
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.ldaps_port)).is_err() {
            let ended = self
                .child
                .as_mut()
                .is_some_and(|c| c.try_wait().ok().flatten().is_some());
            assert!(
                !ended && Instant::now() < deadline,
                "slapd does not start:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The server's own log (level stats).
    pub fn log(&self) -> String {
        fs::read(self.path("slapd.log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Lines of the log that tell of a write by a client.
    pub fn writes(&self) -> Vec<String> {
        self.log()
            .lines()
            .filter(|l| {
                [" ADD ", " MOD ", " DEL ", " MODRDN ", " PASSMOD"]
                    .iter()
                    .any(|w| l.contains(w))
            })
            .map(str::to_owned)
            .collect()
    }

    /// Applies LDIF changes as the administrator.
    pub fn modify(&self, ldif: &str) {
        let file = self.path("change.ldif");
        fs::write(&file, ldif).expect("change.ldif");
        self.command(
            Command::new(program("ldapmodify", "ldap-utils"))
                .env("LDAPTLS_CACERT", self.ca_path())
                .args([
                    "-x",
                    "-H",
                    &self.ldaps_url(),
                    "-D",
                    Self::ADMIN_DN,
                    "-w",
                    Self::ADMIN_PASSWORD,
                    "-f",
                ])
                .arg(&file),
        );
    }

    /// Tries to sign in; whether the directory accepted.
    pub fn sign_in(&self, dn: &str, password: &str) -> bool {
        Command::new(program("ldapwhoami", "ldap-utils"))
            .env("LDAPTLS_CACERT", self.ca_path())
            .args(["-x", "-H", &self.ldaps_url(), "-D", dn, "-w", password])
            .output()
            .is_ok_and(|o| o.status.success())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, command: &mut Command) {
        let output = command.output().expect("the program starts");
        assert!(
            output.status.success(),
            "{command:?} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
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

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
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

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a free port")
        .port()
}

/// Where a program is; panics with the package to install.
pub(super) fn program(name: &str, package: &str) -> PathBuf {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!("`{name}` is not installed; install it with: apt install {package}")
        })
}
