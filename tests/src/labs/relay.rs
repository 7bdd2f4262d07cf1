//! A relay before a real server that breaks off, or falls silent, in the middle of an answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the relay does once the server has sent so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Closes the connection, as a server that is killed.
    Closes,
    /// Keeps the connection and sends nothing more.
    FallsSilent,
}

/// Passes bytes on, up to a number of bytes in all from the server.
pub struct Relay {
    port: u16,
    left: Arc<AtomicU64>,
}

impl Relay {
    /// Listens until the test program ends; lets everything through at first.
    pub fn start(server_port: u16, then: Then) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its port").port();
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let shared = Arc::clone(&left);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)) else {
                    continue;
                };
                let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone())
                else {
                    continue;
                };
                let left = Arc::clone(&shared);
                std::thread::spawn(move || pass(from_client, to_server));
                std::thread::spawn(move || pass_some(server, client, &left, then));
            }
        });
        Relay { port, left }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on, only so many more bytes of the server are passed on.
    pub fn let_through(&self, bytes: u64) {
        self.left.store(bytes, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ended = std::io::copy(&mut from, &mut to);
    let _gone_already = to.shutdown(Shutdown::Both);
}

fn pass_some(mut server: TcpStream, mut client: TcpStream, left: &AtomicU64, then: Then) {
    let mut buffer = [0u8; 4096];
    while let Ok(count) = server.read(&mut buffer) {
        if count == 0 {
            break;
        }
        let may = left.load(Ordering::SeqCst);
        let part = u64::try_from(count).unwrap_or(u64::MAX).min(may);
        left.fetch_sub(part, Ordering::SeqCst);
        let bytes = usize::try_from(part).unwrap_or(count);
        let sent = client.write_all(buffer.get(..bytes).unwrap_or_default());
        if sent.is_err() {
            break;
        }
        if bytes < count {
            match then {
                Then::Closes => break,
                // The client's own patience ends this, and the thread with the test program.
                Then::FallsSilent => loop {
                    std::thread::park();
                },
            }
        }
    }
    let _gone_already = client.shutdown(Shutdown::Both);
    let _gone_already = server.shutdown(Shutdown::Both);
}
