//! A real Samba domain controller: an Active Directory as far as signing in over LDAP goes.
//!
//! Its ports are fixed and small, so it listens on an address of its own in 127.0.0.0/8, and needs
//! an administrator of the machine.

use super::certificates;
use super::directory::program;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SERVER: &str = "/usr/sbin/samba";
const ADMIN_PASSWORD: &str = "Manager-8182-canary";

/// A running domain controller. Dropped, it is stopped and its folder is gone; it also ends when
/// the test program does.
pub struct Samba {
    folder: TempDir,
    child: Child,
    address: String,
}

impl Samba {
    pub const BASE: &'static str = "DC=lab,DC=example,DC=org";

    /// Starts a domain, or says that `case` did not run because the machine has no such server.
    pub fn start_or_not_run(case: &str) -> Option<Samba> {
        let who = Command::new("id").arg("-u").output();
        let may = who.is_ok_and(|o| o.stdout.trim_ascii() == b"0");
        if Path::new(SERVER).is_file() && may {
            return Some(Samba::start());
        }
        super::not_run(
            "samba",
            case,
            "the server is not installed, or this is no administrator of the machine",
        );
        None
    }

    fn start() -> Samba {
        let folder = tempfile::tempdir().expect("a temporary folder for a domain");
        // Several test programs may run a domain at once.
        let number = std::process::id();
        let address = format!("127.77.{}.{}", (number >> 8) & 0x7f, (number & 0x7f) + 1);
        certificates::make_for(folder.path(), &program("openssl", "openssl"), &address);
        let key = folder.path().join("server.key");
        let only_ours = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
        fs::set_permissions(key, only_ours).expect("the key is the server's alone");
        let lab = folder.path().join("domain");
        let made = Command::new(program("samba-tool", "samba"))
            .args(["domain", "provision", "--server-role=dc"])
            .args(["--dns-backend=SAMBA_INTERNAL", "--realm=LAB.EXAMPLE.ORG"])
            .args(["--domain=LAB", "--host-name=dc1", "--host-ip", &address])
            .arg(format!("--adminpass={ADMIN_PASSWORD}"))
            .arg(format!("--targetdir={}", lab.display()))
            .arg("--option=bind interfaces only = yes")
            .arg(format!("--option=interfaces = {address}/8"))
            .output()
            .expect("samba-tool starts");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "no domain: {said}");
        let config = lab.join("etc/smb.conf");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let text = fs::read_to_string(&config).expect("smb.conf").replacen(
            "[global]",
            &format!(
                "[global]\n\tserver services = ldap, kdc\n\tinterfaces = {address}/8\n\tbind interfaces only = yes\n\
                 \ttls enabled = yes\n\ttls keyfile = {}\n\ttls certfile = {}\n\ttls cafile = {}\n",
                at("server.key"),
                at("server.pem"),
                at("ca.pem")
            ),
            1,
        );
        fs::write(&config, text).expect("smb.conf");
        let log = fs::File::create(at("samba.log")).expect("samba.log");
        let child = Command::new(SERVER)
            .args(["-F", "--no-process-group", "--model=single", "-s"])
            .arg(&config)
            // it ends with its input
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("samba starts");
        let mut lab = Samba {
            folder,
            child,
            address,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect((lab.address.as_str(), 636)).is_err() {
            let ended = lab.child.try_wait().ok().flatten().is_some();
            assert!(
                !ended && Instant::now() < deadline,
                "the domain does not start:\n{}",
                fs::read_to_string(lab.folder.path().join("samba.log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        lab
    }

    /// `ldaps://` with the address.
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://{}", self.address)
    }
    /// The CA that issued the server's certificate.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Runs `samba-tool`, which must succeed.
    pub fn tool(&self, words: &[&str]) {
        let config = self.folder.path().join("domain/etc/smb.conf");
        let done = Command::new(program("samba-tool", "samba"))
            .args(words)
            .arg(format!("--configfile={}", config.display()))
            .output()
            .expect("samba-tool starts");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "samba-tool {words:?}: {said}");
    }

    /// Replaces an attribute as the administrator.
    pub fn replace(&self, dn: &str, attribute: &str, value: &str) {
        let file = self.folder.path().join("change.ldif");
        let text =
            format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n");
        fs::write(&file, text).expect("change.ldif");
        let admin = format!("CN=Administrator,CN=Users,{}", Self::BASE);
        let done = Command::new(program("ldapmodify", "ldap-utils"))
            .env("LDAPTLS_CACERT", self.ca_path())
            .args(["-x", "-H", &self.ldaps_url(), "-D", &admin])
            .args(["-w", ADMIN_PASSWORD, "-f"])
            .arg(&file)
            .output()
            .expect("ldapmodify starts");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{attribute} of {dn}: {said}");
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}
