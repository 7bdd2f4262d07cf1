//! One try and what must hold of every answer; servers that talk nonsense.

use lastkey_conformance::proxy::Authority;
pub use lastkey_contract::{Answer, Prober, Secret, Settings, Tried};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    let pairs = pairs.iter();
    Settings(
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

/// Tries once. Whatever the answer is, nothing of the secret is in it, and what is indeterminate
/// says why in one sentence.
#[track_caller]
pub fn tried(prober: &dyn Prober, account: &str, secret: &str) -> Tried {
    let tried = run(prober.try_once(account, &Secret::new(secret.to_owned())));
    let all = format!("{tried:?}").to_lowercase();
    // What every private key begins and ends with is no secret.
    let own: Vec<&str> = secret.lines().filter(|l| !l.starts_with("-----")).collect();
    let letters: Vec<char> = own.concat().to_lowercase().chars().collect();
    let row = if letters.len() > 64 { 10 } else { 6 };
    for part in letters.windows(row) {
        let part: String = part.iter().collect();
        assert!(!all.contains(&part), "`{part}` of the secret is in {all}");
    }
    assert!(tried.raw.chars().count() <= 400, "{tried:?}");
    assert!(!tried.raw.is_empty(), "{tried:?}");
    if tried.answer == Answer::Indeterminate {
        let why = tried.why.as_deref().unwrap_or_default();
        assert!(
            why.len() > 10 && !why.contains('\n') && !why.ends_with('.'),
            "{tried:?}"
        );
    }
    tried
}

/// Tries once; the answer is this, and its status and its sentence hold these words.
#[track_caller]
pub fn check(
    prober: &dyn Prober,
    (account, secret): (&str, &str),
    answer: Answer,
    (raw, why): (&str, &str),
) {
    let tried = tried(prober, account, secret);
    let said = tried.why.clone().unwrap_or_default();
    assert!(
        tried.answer == answer && tried.raw.contains(raw) && said.contains(why),
        "wanted {answer:?} `{raw}` `{why}`, got {tried:?}"
    );
}

/// A server that reads a little, says this, and closes.
pub fn answers_in_clear(says: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0u8; 1024];
            let _gone_already = stream.read(&mut asked);
            let _gone_already = stream.write_all(says);
        }
    });
    port
}

/// What a server says to what it was sent.
type Says = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// A server whose TLS is sound, and that says what it likes behind it.
pub struct Talker {
    pub port: u16,
    folder: TempDir,
}

impl Talker {
    pub fn start(says: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Talker {
        let authority = Authority::new("Talker CA").unwrap();
        let folder = tempfile::tempdir().unwrap();
        authority.write(&folder.path().join("ca.pem")).unwrap();
        let config = authority.for_loopback().unwrap().server().unwrap();
        let says: std::sync::Arc<Says> = std::sync::Arc::new(says);
        let (send, port) = std::sync::mpsc::channel();
        // Ends with the test program.
        std::thread::spawn(move || {
            run(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                send.send(listener.local_addr().unwrap().port()).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let Ok(mut stream) = TlsAcceptor::from(config.clone()).accept(stream).await
                    else {
                        continue;
                    };
                    let says = says.clone();
                    tokio::spawn(async move {
                        let mut asked = [0u8; 16 * 1024];
                        while let Ok(count) = stream.read(&mut asked).await {
                            if count == 0 {
                                break;
                            }
                            let answer = says(&asked[..count]);
                            if stream.write_all(&answer).await.is_err() {
                                break;
                            }
                            let _gone_already = stream.flush().await;
                        }
                    });
                }
            });
        });
        Talker {
            port: port.recv().unwrap(),
            folder,
        }
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}
