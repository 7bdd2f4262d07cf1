//! Certificates of a lab: an own CA, a server certificate for 127.0.0.1, and a CA that issued
//! nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes `ca.pem`, `other.pem`, `server.pem` and `server.key` in a folder.
pub fn make(folder: &Path, openssl: &Path) {
    make_for(folder, openssl, "127.0.0.1");
}

/// The same for a server at another address of this machine.
pub fn make_for(folder: &Path, openssl: &Path, address: &str) {
    let run = |words: &[&str]| {
        let output = Command::new(openssl)
            .current_dir(folder)
            .args(words)
            .output()
            .expect("openssl starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {words:?} failed: {said}");
    };
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    for stem in ["ca", "other"] {
        let mut words = vec!["req", "-x509"];
        words.extend(key);
        let (name, key_file, file) = (
            format!("/CN=Lab CA {stem}"),
            format!("{stem}.key"),
            format!("{stem}.pem"),
        );
        words.extend(["-days", "2", "-subj", &name]);
        words.extend(["-addext", "basicConstraints=critical,CA:TRUE"]);
        words.extend(["-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
        words.extend(["-keyout", &key_file, "-out", &file]);
        run(&words);
    }
    fs::write(
        folder.join("ext"),
        format!("subjectAltName=IP:{address},DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"),
    )
    .expect("ext");
    let mut words = vec!["req"];
    words.extend(key);
    words.extend(["-subj", "/CN=127.0.0.1"]);
    words.extend(["-keyout", "server.key", "-out", "server.csr"]);
    run(&words);
    run(&[
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "ext",
        "-out",
        "server.pem",
    ]);
}
