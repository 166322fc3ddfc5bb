//! The few lines of HTTP that a scraper needs.
//!
//! By hand rather than by a library: what is served is one GET of two paths, each connection closed after its answer, and
//! the smallest library would bring more packages than this has functions. Requests are bounded in size, time and number,
//! so nobody who reaches the port can hold memory or the daemon.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Longest request.
const LONGEST: usize = 8192;
/// So long may a request, and its answer, take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at the same time; more are closed unanswered.
const MOST: usize = 8;

/// What a path answers; `None` when it cannot be told now.
pub trait Source: Clone + Send + Sync + 'static {
    /// The text of `/metrics`.
    fn metrics(&self) -> impl Future<Output = Option<Arc<str>>> + Send;
}

/// Serves for ever.
pub async fn serve(listener: TcpListener, source: impl Source) {
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let source = source.clone();
        tokio::spawn(async move {
            // Who asked may be gone.
            let _ = answer(stream, source).await;
            drop(place);
        });
    }
}

async fn answer(mut stream: TcpStream, source: impl Source) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(512);
    let read = async {
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            if head.len() >= LONGEST || stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                return false;
            }
        }
        true
    };
    let whole = timeout(PATIENCE, read).await.unwrap_or(false);
    let line = head.split(|byte| *byte == b'\r').next().map(String::from_utf8_lossy).unwrap_or_default();
    let mut words = line.split(' ');
    let (method, path, version) = (words.next(), words.next(), words.next());
    let path = path.map(|path| path.split('?').next().unwrap_or_default());
    let (status, body): (&str, Arc<str>) = match (method, path) {
        _ if !whole || !version.is_some_and(|version| version.starts_with("HTTP/1.")) => {
            ("400 Bad Request", "not understood\n".into())
        }
        (Some("GET" | "HEAD"), Some(path @ ("/metrics" | "/healthz"))) => match source.metrics().await {
            Some(_) if path == "/healthz" => ("200 OK", "ok\n".into()),
            Some(text) => ("200 OK", text),
            None => ("503 Service Unavailable", "the numbers cannot be read now\n".into()),
        },
        (Some("GET" | "HEAD"), _) => ("404 Not Found", "there are /metrics and /healthz\n".into()),
        _ => ("405 Method Not Allowed", "only GET\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let write = async {
        stream.write_all(head.as_bytes()).await?;
        if method != Some("HEAD") {
            stream.write_all(body.as_bytes()).await?;
        }
        stream.shutdown().await
    };
    timeout(PATIENCE, write).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}
