//! A real 389 Directory Server with TLS, memberOf, account policy and roles, seeded from LDIF.
//!
//! The instance lives in a folder of its own: the template that Debian ships is filled in,
//! the server runs in the foreground as a child of the test, and nothing of the system is touched.

use super::directory::{self, Directory, program};
use super::slapd::{Seed, Slapd};
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = "/usr/sbin/ns-slapd";
const TEMPLATE: &str = "/usr/share/dirsrv/data/template-dse.ldif";

/// A running ns-slapd. Dropped, it is stopped and its folder is gone.
pub struct Ds389 {
    directory: Directory,
}

impl Deref for Ds389 {
    type Target = Directory;
    fn deref(&self) -> &Directory {
        &self.directory
    }
}

impl DerefMut for Ds389 {
    fn deref_mut(&mut self) -> &mut Directory {
        &mut self.directory
    }
}

impl Ds389 {
    /// The directory manager, who may do everything and has no entry.
    pub const ADMIN_DN: &'static str = "cn=Directory Manager";
    pub const ADMIN_PASSWORD: &'static str = "manager-8182-canary";

    /// Starts a directory with the same base and the same logins as [`Slapd`]. `access` are
    /// values of `aci` on the base; empty lets the reader read and nobody else.
    pub fn start(seed: &Seed, access: &[String]) -> Ds389 {
        let mut lab = Ds389 {
            directory: Directory::new(Self::ADMIN_DN, Self::ADMIN_PASSWORD),
        };
        for name in [
            "config",
            "config/schema",
            "schema",
            "lock",
            "tmp",
            "ldif",
            "bak",
            "run",
            "inst",
            "log",
            "db",
        ] {
            fs::create_dir(lab.path(name)).expect("a folder of the instance");
        }
        lab.trust();
        lab.configure(seed.size_limit);
        lab.load(&seed.ldif, access);
        lab.run();
        lab
    }

    /// Whether this machine has the server.
    pub fn is_here() -> bool {
        Path::new(PROGRAM).is_file()
    }

    /// The version of the program; empty where there is none.
    pub(super) fn version() -> String {
        directory::told_version(PROGRAM, "-v", "389-Directory/")
    }

    /// The server's own access log.
    pub fn log(&self) -> String {
        self.text("log/access")
    }

    /// Lines of the log that tell of a write by a client.
    pub fn writes(&self) -> Vec<String> {
        directory::writes(&self.log())
    }

    /// Puts the certificates into the database that the server reads them from.
    fn trust(&self) {
        let database = format!("sql:{}", self.path("config").display());
        let certutil = program("certutil", "libnss3-tools");
        let at = |name: &str| self.path(name).display().to_string();
        self.command(Command::new(&certutil).args(["-N", "-d", &database, "--empty-password"]));
        self.command(
            Command::new(&certutil)
                .args(["-A", "-d", &database, "-n", "CA", "-t", "CT,,", "-i"])
                .arg(at("ca.pem")),
        );
        self.command(
            Command::new(program("openssl", "openssl"))
                .args([
                    "pkcs12",
                    "-export",
                    "-name",
                    "Server-Cert",
                    "-passout",
                    "pass:",
                ])
                .args(["-in", &at("server.pem"), "-inkey", &at("server.key")])
                .args(["-out", &at("server.p12")]),
        );
        self.command(Command::new(program("pk12util", "libnss3-tools")).args([
            "-i",
            &at("server.p12"),
            "-d",
            &database,
            "-W",
            "",
            "-K",
            "",
        ]));
    }

    fn configure(&self, size_limit: Option<u32>) {
        for name in ["certmap.conf", "slapd-collations.conf"] {
            let from = format!("/etc/dirsrv/config/{name}");
            fs::copy(from, self.path("config").join(name)).expect("the package's configuration");
        }
        // the offline loader looks for the instance's schema beside its configuration
        let own_schema = "dn: cn=schema\nobjectClass: top\n\
             attributeTypes: ( 1.3.6.1.4.1.24552.500.1.1.1.13 NAME 'sshPublicKey' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n\
             objectClasses: ( 1.3.6.1.4.1.24552.500.1.1.2.0 NAME 'ldapPublicKey' SUP top AUXILIARY MAY ( sshPublicKey ) )\n";
        for folder in ["schema", "config/schema"] {
            let file = self.path(folder).join("99user.ldif");
            fs::write(file, own_schema).expect("99user.ldif");
        }
        let template = fs::read_to_string(TEMPLATE).unwrap_or_else(|_| {
            panic!("`{TEMPLATE}` is missing; install it with: apt install 389-ds-base")
        });
        let hash = self.command(Command::new(program("pwdhash", "389-ds-base")).args([
            "-s",
            "SSHA512",
            Self::ADMIN_PASSWORD,
        ]));
        let user = self.command(Command::new("/usr/bin/id").arg("-un"));
        let at = |name: &str| self.path(name).display().to_string();
        let mut text = template;
        for (word, value) in [
            ("schema_dir", at("schema")),
            ("lock_dir", at("lock")),
            ("tmp_dir", at("tmp")),
            ("cert_dir", at("config")),
            ("config_dir", at("config")),
            ("ldif_dir", at("ldif")),
            ("bak_dir", at("bak")),
            ("run_dir", at("run")),
            ("inst_dir", at("inst")),
            ("log_dir", at("log")),
            ("db_dir", at("db")),
            ("db_home_dir", at("db")),
            ("db_lib", "bdb".to_owned()),
            ("fqdn", "localhost".to_owned()),
            ("ds_port", self.ldap_port.to_string()),
            ("ds_user", user.trim().to_owned()),
            ("ds_passwd", hash.trim().to_owned()),
            ("ds_suffix", Slapd::BASE.to_owned()),
            ("rootdn", Self::ADMIN_DN.to_owned()),
            ("ldapi_enabled", "off".to_owned()),
            ("ldapi_autobind", "off".to_owned()),
            ("ldapi", at("run/ldapi")),
        ] {
            text = text.replace(&format!("%{word}%"), &value);
        }
        let size = size_limit.map_or("-1".to_owned(), |n| n.to_string());
        let own = format!(
            "nsslapd-listenhost: 127.0.0.1\nnsslapd-securelistenhost: 127.0.0.1\n\
             nsslapd-security: on\nnsslapd-secureport: {}\nnsslapd-accesslog-logbuffering: off\n\
             nsslapd-sizelimit: {size}\npasswordLockout: on\npasswordMaxFailure: 3\n\
             nsslapd-rootdn:",
            self.ldaps_port
        );
        text = text.replacen("nsslapd-rootdn:", &own, 1);
        // left alone it sizes its caches by the machine, and wants as much room on the disk
        let caches = "nsslapd-cache-autosize: 0\nnsslapd-dbcachesize: 8388608\nnsslapd-import-cache-autosize: 0\nnsslapd-import-cachesize: 16777216\n";
        text = text.replacen(
            "nsslapd-mode: 600\n",
            &format!("nsslapd-mode: 600\n{caches}"),
            1,
        );
        // the plug-ins that directories of this make usually have on
        for plugin in ["MemberOf Plugin", "Account Policy Plugin"] {
            let from = format!("\ncn: {plugin}\n");
            let Some((head, tail)) = text.split_once(&from) else {
                panic!("the template has no {plugin}");
            };
            let tail = tail.replacen("nsslapd-pluginEnabled: off", "nsslapd-pluginEnabled: on", 1);
            let tail = tail.replacen("nsslapd-pluginenabled: off", "nsslapd-pluginenabled: on", 1);
            text = format!("{head}{from}{tail}");
        }
        text = text.replace(
            "alwaysrecordlogin: no",
            "alwaysrecordlogin: yes\nstateattrname: lastLoginTime\naltstateattrname: createTimestamp",
        );
        let base = Slapd::BASE;
        let escaped = base.replace('=', "\\3D").replace(',', "\\2C");
        text = format!(
            "{}\n\ndn: cn=userroot,cn=ldbm database,cn=plugins,cn=config\n\
             objectClass: top\nobjectClass: extensibleObject\nobjectClass: nsBackendInstance\n\
             cn: userroot\nnsslapd-suffix: {base}\nnsslapd-directory: {}\nnsslapd-cachememsize: 67108864\n\n\
             dn: cn={escaped},cn=mapping tree,cn=config\n\
             objectClass: top\nobjectClass: extensibleObject\nobjectClass: nsMappingTree\n\
             cn: {base}\nnsslapd-state: backend\nnsslapd-backend: userroot\n\n",
            text.trim_end(),
            at("db/userroot")
        );
        fs::write(self.path("config/dse.ldif"), text).expect("dse.ldif");
    }

    fn load(&self, ldif: &str, access: &[String]) {
        let base = Slapd::BASE;
        let of = |dn: &str, names: &str, rights: &str| {
            format!(
                "(targetattr{names})(version 3.0; acl \"reader\"; allow ({rights}) userdn=\"ldap:///{dn}\";)"
            )
        };
        let aci = |names: &str, rights: &str| of(Slapd::READER_DN, names, rights);
        let own = [
            aci("!=\"userPassword\"", "read,search,compare"),
            aci(
                "=\"nsRole || nsUniqueId || createTimestamp || creatorsName || nsAccountLock || lastLoginTime || accountUnlockTime || passwordExpirationTime\"",
                "read,search,compare",
            ),
            aci("=\"userPassword\"", "search"),
            of(Slapd::BLIND_DN, "!=\"userPassword\"", "read,search,compare"),
        ];
        let access = if access.is_empty() { &own[..] } else { access };
        let access: String = access.iter().map(|aci| format!("aci: {aci}\n")).collect();
        let mut text = format!(
            "dn: {base}\nobjectClass: top\nobjectClass: domain\ndc: example\n{access}\n\
             dn: ou=people,{base}\nobjectClass: organizationalUnit\nou: people\n\n\
             dn: ou=groups,{base}\nobjectClass: organizationalUnit\nou: groups\n\n"
        );
        for (dn, password) in [
            (Slapd::READER_DN, Slapd::READER_PASSWORD),
            (Slapd::BLIND_DN, Slapd::BLIND_PASSWORD),
        ] {
            text.push_str(&format!(
                "dn: {dn}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: {}\nuserPassword: {password}\n\n",
                dn.trim_start_matches("cn=").split(',').next().unwrap_or_default()
            ));
        }
        text.push_str(ldif);
        let file = self.path("seed.ldif");
        fs::write(&file, text).expect("seed.ldif");
        let output = Command::new(program("ns-slapd", "389-ds-base"))
            .args(["ldif2db", "-n", "userroot", "-D"])
            .arg(self.path("config"))
            .arg("-i")
            .arg(&file)
            .output()
            .expect("ns-slapd starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !said.contains("Skipping"),
            "the seed was not loaded whole ({}):\n{said}{}",
            output.status,
            self.text("log/errors")
        );
    }

    /// Starts the server in the foreground, at first or after [`Directory::stop`].
    pub fn run(&mut self) {
        let mut command = Command::new(program("ns-slapd", "389-ds-base"));
        command
            .args(["-d", "0", "-D"])
            .arg(self.path("config"))
            .arg("-i")
            .arg(self.path("run/pid"));
        let told = ["out.log", "log/errors"];
        self.directory.run(&mut command, "out.log", &told);
    }
}
