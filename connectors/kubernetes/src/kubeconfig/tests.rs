use super::*;
use lastkey_contract::ErrorKind;

const FILE: &str = r#"
apiVersion: v1
kind: Config
preferences: {}
current-context: prod
contexts:
- context: {cluster: prod, namespace: shop, user: reader}
  name: prod
- {name: lab, context: {cluster: lab, user: admin}}
- {name: nowhere, context: {cluster: gone, user: reader}}
- {name: loose, context: {cluster: loose, user: reader}}
- {name: proxied, context: {cluster: proxied, user: reader}}
- {name: renamed, context: {cluster: renamed, user: reader}}
- {name: plain, context: {cluster: plain, user: reader}}
- {name: rancher, context: {cluster: rancher, user: reader}}
- {name: exec, context: {cluster: prod, user: exec}}
- {name: provider, context: {cluster: prod, user: provider}}
- {name: basic, context: {cluster: prod, user: basic}}
- {name: as, context: {cluster: prod, user: as}}
- {name: keyless, context: {cluster: prod, user: keyless}}
- {name: nobody, context: {cluster: prod, user: nobody}}
- {name: odd, context: {cluster: prod, user: odd}}
- {name: lost, context: {cluster: prod, user: lost}}
clusters:
- cluster:
    certificate-authority-data: UEVN
    server: https://k.example.org:6443
  name: prod
- {name: lab, cluster: {server: "https://127.0.0.1:6443", insecure-skip-tls-verify: false}}
- {name: loose, cluster: {server: "https://k", insecure-skip-tls-verify: true}}
- {name: proxied, cluster: {server: "https://k", proxy-url: "socks5://127.0.0.1"}}
- {name: renamed, cluster: {server: "https://k", tls-server-name: other}}
- {name: plain, cluster: {server: "http://k"}}
- {name: rancher, cluster: {server: "https://k/k8s/clusters/c-1"}}
users:
- name: reader
  user: {token: reader-canary-token}
- name: exec
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: /usr/bin/make-a-token, args: [exec-canary]}
- {name: provider, user: {auth-provider: {name: gcp}}}
- {name: basic, user: {username: ann, password: basic-canary}}
- {name: as, user: {token: as-canary, as: root}}
- {name: keyless, user: {client-certificate-data: UEVN}}
- {name: nobody, user: {}}
- {name: odd, user: {client-certificate-data: UEVN, client-key-data: odd-canary!}}
- {name: lost, user: {tokenFile: is-not-there}}
"#;

fn of(context: &str) -> Kubeconfig {
    Kubeconfig {
        file: PathBuf::from("/home/ann/.kube/config"),
        context: Some(context.to_owned()).filter(|name| !name.is_empty()),
    }
}

fn token(context: &str) -> Result<(String, String), ConnectorError> {
    let context = of(context).understood(FILE)?;
    let token = context.login()?.token.unwrap();
    Ok((context.origin.address(), token.expose().to_owned()))
}

#[test]
fn a_context_says_the_server_and_the_login() {
    for context in ["", "prod"] {
        let says = token(context).unwrap();
        let wanted = ("https://k.example.org:6443", "reader-canary-token");
        assert_eq!((says.0.as_str(), says.1.as_str()), wanted, "{context}");
    }
    let prod = of("prod").understood(FILE).unwrap();
    assert_eq!(prod.ca.as_deref(), Some(&b"PEM"[..]));
    let lab = of("lab").understood(FILE).unwrap();
    assert_eq!((lab.origin.port, lab.ca), (6443, None));
    // The server of a context counts, whatever its user would do to sign in.
    let exec = of("exec").understood(FILE).unwrap();
    assert_eq!(exec.origin.address(), "https://k.example.org:6443");
}

#[test]
fn what_cannot_count_is_refused_with_what_to_do() {
    for (context, says) in [
        ("none", "has no context `none`"),
        ("nowhere", "names the cluster `gone`"),
        ("loose", "turns verification"),
        ("proxied", "through a proxy"),
        ("renamed", "another name in the certificate"),
        ("plain", "plain http://"),
        ("rancher", "not an address"),
        ("exec", "by running a program (exec), and Lastkey runs none"),
        ("provider", "through an auth provider"),
        ("basic", "with a name and a password"),
        ("as", "acts as somebody else"),
        ("keyless", "without its private key"),
        ("nobody", "nothing to sign in with"),
        (
            "odd",
            "`client-key-data` of the kubeconfig is not in base64",
        ),
        ("lost", "`/home/ann/.kube/is-not-there` cannot be read"),
        ("lab", "nothing to sign in with"),
    ] {
        let error = token(context).unwrap_err();
        assert!(error.message.contains(says), "{context}: {error}");
        assert_eq!(error.kind, ErrorKind::ConfigInvalid, "{context}");
        assert!(error.hint.is_some(), "{context}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn a_file_that_is_none_says_so() {
    for (text, says) in [
        ("a: [", "is not understood"),
        ("", "has no current context"),
        ("current-context: ''", "has no current context"),
        (
            r#"{"contexts": [], "current-context": "x"}"#,
            "has no context `x`",
        ),
    ] {
        let error = of("").understood(text).map(|_| ()).unwrap_err();
        assert!(error.message.contains(says), "{text}: {error}");
    }
    let error = of("none").understood(FILE).map(|_| ()).unwrap_err();
    assert!(
        error
            .hint
            .unwrap()
            .starts_with("contexts: prod, lab, nowhere")
    );
    let gone = Kubeconfig {
        file: PathBuf::from("/is-not-there/config"),
        context: None,
    };
    let error = gone.open().map(|_| ()).unwrap_err();
    assert!(error.message.contains("cannot be read"), "{error}");
}
