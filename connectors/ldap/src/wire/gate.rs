//! The gate: passes requests to the directory, and of its answers only those that are sound.

use super::message::{Message, Operation, Wrong, check, length, request};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use zeroize::Zeroizing;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// How much may be held at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one message, as [`Message::weight`]: a group of two million members fits.
    pub message: usize,
    /// Of all that is sent for one question: a directory that does not page sends everything.
    pub answer: usize,
}

impl Limits {
    pub const USUAL: Limits = Limits {
        message: 256 << 20,
        answer: 1 << 30,
    };
}

/// Why a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// The directory broke the protocol.
    Wrong(Wrong),
    /// The connection broke, or its TLS did.
    Broken(io::Error),
    /// The directory closed it, or the connection broke, before it said anything.
    Unheard(Option<io::Error>),
    /// The directory closed it.
    Closed,
}

/// Messages in the order in which they come, out of pieces of any length.
#[derive(Default)]
struct Pieces {
    bytes: Zeroizing<Vec<u8>>,
    /// How many of them are whole messages.
    whole: usize,
}

impl Pieces {
    /// Reads more; false at the end.
    async fn read(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
        self.bytes.reserve(CHUNK);
        Ok(from.read_buf(&mut *self.bytes).await? > 0)
    }

    /// The next message that has come whole.
    fn next(&mut self, most: usize) -> Result<Option<&mut [u8]>, Wrong> {
        let rest = self.bytes.get_mut(self.whole..).unwrap_or_default();
        let Some(length) = length(rest, most)? else {
            return Ok(None);
        };
        let message = rest.get_mut(..length);
        if message.is_some() {
            self.whole += length;
        }
        Ok(message)
    }

    /// Passes on the messages that were looked at.
    async fn pass(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if let Some(whole) = self.bytes.get(..self.whole) {
            to.write_all(whole).await?;
            to.flush().await?;
        }
        self.bytes.drain(..self.whole);
        self.whole = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > 4 * CHUNK {
            *self = Pieces::default();
        }
        Ok(())
    }
}

/// What was asked and not answered to its end: the sort of the request, and how much came.
type Asked = Mutex<HashMap<i64, (Operation, usize)>>;

/// Passes messages both ways until one side ends, and keeps why in `ended`.
pub async fn pass(
    directory: impl AsyncRead + AsyncWrite,
    client: impl AsyncRead + AsyncWrite,
    limits: Limits,
    ended: Arc<OnceLock<Ended>>,
) {
    let (mut answers, mut to_directory) = split(directory);
    let (mut requests, mut to_client) = split(client);
    let asked = Asked::default();
    let outward = one_way(&mut requests, &mut to_directory, usize::MAX, |message| {
        remember(message, &asked)
    });
    let heard = AtomicBool::new(false);
    let inward = one_way(&mut answers, &mut to_client, limits.message, |message| {
        heard.store(true, Ordering::Relaxed);
        belongs(check(message)?, &asked, limits)
    });
    let why = tokio::select! {
        why = outward => why,
        why = inward => why,
    };
    let why = match (why, heard.load(Ordering::Relaxed)) {
        (Ended::Closed, false) => Ended::Unheard(None),
        (Ended::Broken(error), false) => Ended::Unheard(Some(error)),
        (why, _) => why,
    };
    // Set before the client's side closes, which wakes whoever waits.
    let _first_counts = ended.set(why);
}

/// Passes on the messages of one side, as long as they pass a look.
async fn one_way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    most: usize,
    look: impl Fn(&mut [u8]) -> Result<(), Wrong>,
) -> Ended {
    let mut pieces = Pieces::default();
    loop {
        match pieces.read(from).await {
            Ok(true) => {}
            Ok(false) => return Ended::Closed,
            Err(error) => return Ended::Broken(error),
        }
        loop {
            let looked = match pieces.next(most) {
                Ok(None) => break,
                Ok(Some(message)) => look(message),
                Err(wrong) => Err(wrong),
            };
            if let Err(wrong) = looked {
                return Ended::Wrong(wrong);
            }
        }
        if let Err(error) = pieces.pass(to).await {
            return Ended::Broken(error);
        }
    }
}

/// Remembers what a request asks.
fn remember(message: &mut [u8], asked: &Asked) -> Result<(), Wrong> {
    let (id, operation) = request(message)?;
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.insert(id, (operation, 0));
    Ok(())
}

/// Whether a message answers a question, and the answer is not too much.
fn belongs(message: Message, asked: &Asked, limits: Limits) -> Result<(), Wrong> {
    if message.weight > limits.message {
        return Err("a message has more parts than can be held");
    }
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    // Id 0 is the directory's farewell, which the end of the connection follows. Another id that
    // is not known may be a search that was given up: the client drops both.
    let Some((request, came)) = asked.get_mut(&message.id) else {
        return Ok(());
    };
    let ends = match (*request, message.operation) {
        (Operation::SearchRequest, Operation::SearchDone)
        | (Operation::BindRequest, Operation::BindResponse)
        | (Operation::ExtendedRequest, Operation::ExtendedResponse) => true,
        (Operation::SearchRequest, item) if item.is_item() => false,
        _ => return Err("a message is no answer to what was asked"),
    };
    *came = came.saturating_add(message.weight);
    if *came > limits.answer {
        return Err("it sends more for one question than can be held");
    }
    if ends {
        asked.remove(&message.id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    /// A search with this id, as far as the gate looks at it.
    fn search(id: u8) -> Vec<u8> {
        vec![0x30, 5, 2, 1, id, 0x63, 0]
    }

    /// An entry of the search, without attributes.
    fn entry(id: u8) -> Vec<u8> {
        vec![0x30, 11, 2, 1, id, 0x64, 6, 4, 2, b'o', b'=', 0x30, 0]
    }

    const DONE: &[u8] = &[0x30, 12, 2, 1, 7, 0x65, 7, 10, 1, 0, 4, 0, 4, 0];

    /// Asks with id 7, sends an answer in pieces of three bytes; what came through, and the end.
    async fn through(answer: &[u8], limits: Limits) -> (Vec<u8>, Ended) {
        let (directory, mut server) = duplex(1 << 16);
        let (client, mut asker) = duplex(1 << 16);
        let ended = Arc::new(OnceLock::new());
        let gate = tokio::spawn(pass(directory, client, limits, Arc::clone(&ended)));
        asker.write_all(&search(7)).await.unwrap();
        let mut asked = [0u8; 7];
        server.read_exact(&mut asked).await.unwrap();
        assert_eq!(asked.as_slice(), search(7));
        for piece in answer.chunks(3) {
            if server.write_all(piece).await.is_err() {
                break;
            }
        }
        drop(server);
        let mut came = Vec::new();
        asker.read_to_end(&mut came).await.unwrap();
        gate.await.unwrap();
        let ended = Arc::into_inner(ended).and_then(OnceLock::into_inner);
        (came, ended.unwrap())
    }

    const SMALL: Limits = Limits {
        message: 1_000,
        answer: 3_000,
    };

    #[tokio::test]
    async fn what_is_sound_comes_through_as_it_was_sent() {
        let sent = [&entry(7), DONE, &entry(9)].concat();
        let (came, ended) = through(&sent, SMALL).await;
        assert_eq!(came, sent, "unknown ids are the client's to drop");
        assert!(matches!(ended, Ended::Closed), "{ended:?}");
    }

    #[track_caller]
    fn wrong(ended: &Ended, says: &str) {
        assert!(
            matches!(ended, Ended::Wrong(why) if why.contains(says)),
            "{ended:?} should say {says}"
        );
    }

    #[tokio::test]
    async fn what_is_too_much_ends_the_connection() {
        let endless = entry(7).repeat(1_000);
        let (came, ended) = through(&endless, SMALL).await;
        wrong(&ended, "more for one question");
        assert!(came.len() < SMALL.answer);
        let (came, ended) = through(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], SMALL).await;
        wrong(&ended, "too large");
        assert!(came.is_empty());
        let mut many = vec![0x30, 0x82, 0, 0, 2, 1, 7, 0x73, 0x82, 0, 60];
        many.extend([4, 0].repeat(30));
        many[3] = u8::try_from(many.len() - 4).unwrap();
        let (_, ended) = through(&many, SMALL).await;
        wrong(&ended, "more parts");
    }

    #[tokio::test]
    async fn an_answer_to_another_question_ends_the_connection() {
        let bound = [0x30, 12, 2, 1, 7, 0x61, 7, 10, 1, 0, 4, 0, 4, 0];
        let (came, ended) = through(&bound, SMALL).await;
        wrong(&ended, "no answer to what was asked");
        assert!(came.is_empty());
    }
}
