//! The repository layout over plain HTTP or HTTPS, with Range requests. Bytes
//! are untrusted until they are hashed.

use std::io::Read as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_RANGE, RANGE};

use patchmesh_trust::layout::STOPS;

use crate::origin::health::Health;
use crate::troubles::Found;

/// How long a document may take.
const DOCUMENT_WITHIN: Duration = Duration::from_secs(30);
/// Redirects that are followed; an HTTPS origin never leads to plain HTTP.
const REDIRECTS_MAX: u32 = 3;

/// How long a part of a pack may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// In all.
    pub(crate) within: Duration,
    /// Until the answer begins.
    pub(crate) idle: Duration,
}

impl Patience {
    /// A folder answers at once.
    pub(crate) const ENDLESS: Self = Self {
        within: Duration::MAX,
        idle: Duration::MAX,
    };
}

/// An HTTP origin.
#[derive(Debug)]
pub(crate) struct Http {
    agent: Agent,
    base: String,
    received: AtomicU64,
    payload: AtomicU64,
    health: Health,
}

/// Why an origin's answer is no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The request failed.
    #[error("failed to ask the origin: {0}")]
    Ask(#[from] ureq::Error),
    /// The body broke off.
    #[error("failed to read the origin's answer: {0}")]
    Read(#[from] std::io::Error),
    /// A status that is neither the thing nor its absence.
    #[error("failed to get it from the origin: status {0}")]
    Status(StatusCode),
    /// The whole file, although a part was asked for.
    #[error("failed to get the range: the origin answers with the whole file")]
    NoRange,
    /// Not the range that was asked for.
    #[error("failed to get the range: the origin answered with another one")]
    OtherRange,
    /// Longer than its cap.
    #[error("failed to take the origin's answer: longer than {0} bytes")]
    TooLong(usize),
}

impl Http {
    /// An origin below this base address.
    pub(crate) fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(base.starts_with("https://"))
            .max_redirects(REDIRECTS_MAX)
            .build();
        Self {
            agent: config.into(),
            base: base.trim_end_matches('/').to_owned(),
            received: AtomicU64::new(0),
            payload: AtomicU64::new(0),
            health: Health::default(),
        }
    }

    /// What was learnt of late about documents and chunks.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Bytes of all bodies so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes of wire frames so far, among the received bytes.
    pub(crate) fn payload(&self) -> u64 {
        self.payload.load(Ordering::Relaxed)
    }

    /// A whole file of at most `len_max` bytes; `None` where there is none.
    /// `must` be there: then its absence is a trouble.
    pub(crate) fn file(
        &self,
        path: &str,
        len_max: usize,
        must: bool,
    ) -> Result<Option<Vec<u8>>, HttpError> {
        let read = self.get(path, len_max);
        let found = match &read {
            Ok(None) if must => Some(no_repository(&self.address(path))),
            Ok(_) => None,
            Err(error) => Some(trouble(error, &self.address(path))),
        };
        // Few read the stops: what is wrong with them is not over with the next
        // document that comes.
        // Who does not answer at all is told once.
        let silent = matches!(read, Err(HttpError::Ask(_)));
        let about = if path == STOPS && !silent {
            "stops"
        } else {
            "documents"
        };
        self.health.note(format!("origin {about}"), found);
        read
    }

    fn get(&self, path: &str, len_max: usize) -> Result<Option<Vec<u8>>, HttpError> {
        let request = self.agent.get(self.address(path));
        let request = request
            .config()
            .timeout_global(Some(DOCUMENT_WITHIN))
            .build();
        let response = request.call()?;
        match response.status() {
            StatusCode::OK => {}
            // Object stores without the right to list answer 403 for a missing key.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE => return Ok(None),
            other => return Err(HttpError::Status(other)),
        }
        self.body(response, len_max).map(Some)
    }

    /// Exactly `len` bytes from `offset`.
    pub(crate) fn range(
        &self,
        path: &str,
        offset: u64,
        len: usize,
        patience: Patience,
    ) -> Result<Vec<u8>, HttpError> {
        let read = self.part(path, offset, len, patience);
        let found = read.as_ref().err();
        let found = found.map(|error| trouble(error, &self.address(path)));
        self.health.note("origin chunks".to_owned(), found);
        read
    }

    fn part(
        &self,
        path: &str,
        offset: u64,
        len: usize,
        patience: Patience,
    ) -> Result<Vec<u8>, HttpError> {
        let last = offset + len as u64 - 1;
        let request = self.agent.get(self.address(path));
        let request = request.header(RANGE, format!("bytes={offset}-{last}"));
        let response = request
            .config()
            .timeout_global(Some(patience.within))
            .timeout_recv_response(Some(patience.idle))
            .build()
            .call()?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::OK => return Err(HttpError::NoRange),
            other => return Err(HttpError::Status(other)),
        }
        let stated = response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok());
        let expected = format!("bytes {offset}-{last}/");
        if !stated.is_some_and(|stated| stated.starts_with(&expected)) {
            return Err(HttpError::OtherRange);
        }
        let bytes = self.body(response, len)?;
        self.payload
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if bytes.len() == len {
            Ok(bytes)
        } else {
            Err(HttpError::OtherRange)
        }
    }

    fn body(
        &self,
        response: ureq::http::Response<ureq::Body>,
        len_max: usize,
    ) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::new();
        let mut reader = response.into_body().into_reader().take(len_max as u64 + 1);
        let read = reader.read_to_end(&mut bytes);
        self.received
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        read?;
        if bytes.len() > len_max {
            Err(HttpError::TooLong(len_max))
        } else {
            Ok(bytes)
        }
    }

    /// The address of a file of the repository.
    pub(crate) fn address(&self, path: &str) -> String {
        // A role such as `release/desktop` is stored with a literal `%2F` in
        // its file name, which an address must escape once more.
        format!("{}/{}", self.base, path.replace('%', "%25"))
    }
}

fn trouble(error: &HttpError, address: &str) -> Found {
    let (code, hint) = match error {
        HttpError::Ask(_) => (
            "OriginUnreachable",
            "is the server up, and can this host reach it? `origin.http` names it",
        ),
        HttpError::NoRange | HttpError::OtherRange => (
            "OriginNoRange",
            "chunks need a web server that answers Range requests with status 206",
        ),
        HttpError::Status(_) => (
            "OriginStatus",
            "does `origin.http` name the whole published folder, readable for everybody?",
        ),
        HttpError::Read(_) | HttpError::TooLong(_) => (
            "OriginBroken",
            "does something between this host and the server cut or replace its answers?",
        ),
    };
    Found {
        code,
        detail: format!("{address}: {error}"),
        hint,
    }
}

fn no_repository(address: &str) -> Found {
    Found {
        code: "OriginEmpty",
        detail: format!("{address}: there is no such file"),
        hint: "does `origin.http` name the published folder itself?",
    }
}
