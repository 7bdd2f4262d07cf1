//! Bodies that arrive as a fault wants: whole, slowly, cut, without end.

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;

/// One part of a body, or why there is no more.
pub(super) type Part = Result<Bytes, io::Error>;

/// A body that is known whole, or fed by a task.
pub(super) enum Feed {
    Whole(Option<Bytes>),
    Parts(mpsc::Receiver<Part>),
}

impl Feed {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Feed {
        Feed::Whole(Some(bytes.into()))
    }

    /// The bytes, so many at a time with a wait between.
    pub(super) fn slowly(bytes: Bytes, step: usize, every: Duration) -> Feed {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut rest = bytes;
            while !rest.is_empty() {
                let part = rest.split_to(step.clamp(1, rest.len()));
                if sender.send(Ok(part)).await.is_err() {
                    return;
                }
                tokio::time::sleep(every).await;
            }
        });
        Feed::Parts(receiver)
    }

    /// The bytes, and then the connection breaks.
    pub(super) fn cut(bytes: Bytes) -> Feed {
        let (sender, receiver) = mpsc::channel(2);
        tokio::spawn(async move {
            // The client may have gone; then there is nobody to break off from.
            let _gone = sender.send(Ok(bytes)).await;
            // hyper sends what it has before it meets the error
            tokio::time::sleep(Duration::from_millis(20)).await;
            let _gone = sender.send(Err(io::Error::other("cut on purpose"))).await;
        });
        Feed::Parts(receiver)
    }

    /// The first bytes once, and then the second for ever.
    pub(super) fn endless(first: Bytes, again: Bytes) -> Feed {
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            let mut part = first;
            while sender.send(Ok(part)).await.is_ok() {
                part = again.clone();
            }
        });
        Feed::Parts(receiver)
    }
}

impl Body for Feed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Feed::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Feed::Parts(parts) => parts
                .poll_recv(cx)
                .map(|part| part.map(|part| part.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Feed::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Feed::Parts(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Feed::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(length.try_into().unwrap_or(u64::MAX))
            }
            Feed::Parts(_) => SizeHint::default(),
        }
    }
}

/// A body read to its end.
pub(super) async fn collected(mut body: Incoming) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(io::Error::other)?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.into())
}
