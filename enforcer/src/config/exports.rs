//! `[metrics]` and `[exports]`: what the box tells others. Absent is off.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use serde::Deserialize;
use toml::Spanned;

use super::valid::Check;
use crate::document::words;

type Text = Option<Spanned<String>>;
type Number = Option<Spanned<i64>>;

/// Where metrics can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Exactly this address and port.
    pub listen: SocketAddr,
    /// One frame in so many is timed; 0: none.
    pub sample: u32,
}

/// What events are sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    pub eve: Option<Eve>,
    pub syslog: Option<Syslog>,
}

/// Events as JSON lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eve {
    pub target: EveTarget,
    /// Bytes after which a file is set aside; `None`: never.
    pub rotate: Option<u64>,
    /// How many full files are kept.
    pub keep: u32,
    /// Events that may wait.
    pub queue: usize,
}

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EveTarget {
    /// Standard output.
    Output,
    File(PathBuf),
}

impl fmt::Display for EveTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output => f.write_str("standard output"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

words! {
    /// How syslog messages travel.
    SyslogTransport { Udp = "udp", Tcp = "tcp", Tls = "tls", }
}
words! {
    /// Facilities of RFC 5424 that a daemon can use.
    Facility {
        User = "user", Daemon = "daemon", Auth = "auth", AuthPriv = "authpriv", Local0 = "local0", Local1 = "local1",
        Local2 = "local2", Local3 = "local3", Local4 = "local4", Local5 = "local5", Local6 = "local6",
        Local7 = "local7",
    }
}

impl Facility {
    /// The number of the RFC.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Auth => 4,
            Self::AuthPriv => 10,
            Self::Local0 => 16,
            Self::Local1 => 17,
            Self::Local2 => 18,
            Self::Local3 => 19,
            Self::Local4 => 20,
            Self::Local5 => 21,
            Self::Local6 => 22,
            Self::Local7 => 23,
        }
    }
}

/// A server by name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Without brackets.
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Events as syslog messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    pub server: Server,
    pub transport: SyslogTransport,
    /// With transport "tls", and only then.
    pub tls: Option<Tls>,
    pub facility: Facility,
    /// Events that may wait.
    pub queue: usize,
}

/// Files of TLS, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Who may vouch for the server.
    pub ca: PathBuf,
    /// Certificate and key that the box shows.
    pub client: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetrics {
    pub listen: Text,
    pub sample: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEve {
    pub file: Text,
    pub rotate_mib: Number,
    pub keep: Number,
    pub queue: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSyslog {
    pub server: Text,
    pub transport: Text,
    pub ca: Text,
    pub client_certificate: Text,
    pub client_key: Text,
    pub facility: Text,
    pub queue: Number,
}

impl Check<'_> {
    pub(super) fn metrics(&mut self, raw: RawMetrics, section: &Range<usize>) -> Option<Metrics> {
        let sample = self.number(raw.sample, "sample", 1024, 0..=1 << 30);
        let Some(listen) = raw.listen else {
            self.reader.report(section, "[metrics]: the key \"listen\" is missing");
            return None;
        };
        let text = listen.get_ref();
        let cause = match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_unspecified() => {
                "must be one address of the box, not all of them: metrics are for the management network alone"
            }
            Ok(address) if address.port() == 0 => "the port is missing",
            Ok(listen) => return Some(Metrics { listen, sample: sample? }),
            Err(_) => "is not an address and a port, such as \"10.0.0.9:9464\"",
        };
        self.reader.report(&listen.span(), format!("\"listen\": \"{text}\" {cause}"));
        None
    }

    pub(super) fn eve(&mut self, raw: RawEve) -> Option<Eve> {
        let target = match &raw.file {
            Some(text) if text.get_ref() == "-" => EveTarget::Output,
            _ => EveTarget::File(self.path(raw.file, "/var/log/enforcer/eve.json")),
        };
        let rotate = self.number(raw.rotate_mib, "rotate_mib", 64, 0..=1 << 20);
        let keep = self.number(raw.keep, "keep", 5, 1..=1000);
        let queue = self.queue(raw.queue);
        let rotate = Some(u64::from(rotate?) << 20).filter(|bytes| *bytes != 0);
        Some(Eve { target, rotate, keep: keep?, queue: queue? })
    }

    fn queue(&mut self, value: Number) -> Option<usize> {
        self.number(value, "queue", 4096, 16..=65_536).and_then(|number| usize::try_from(number).ok())
    }

    pub(super) fn syslog(&mut self, raw: RawSyslog, section: &Range<usize>) -> Option<Syslog> {
        let words = SyslogTransport::WORDS;
        let transport = self.word(raw.transport, "transport", SyslogTransport::Udp, SyslogTransport::from_word, words);
        let facility = self.word(raw.facility, "facility", Facility::Local0, Facility::from_word, Facility::WORDS);
        let queue = self.queue(raw.queue);
        let server = match raw.server {
            Some(server) => self.server(&server),
            None => {
                self.reader.report(section, "[exports.syslog]: the key \"server\" is missing");
                None
            }
        };
        let transport = transport?;
        let tls = match transport {
            SyslogTransport::Tls => Some(self.tls(raw.ca, raw.client_certificate, raw.client_key, section)?),
            SyslogTransport::Udp | SyslogTransport::Tcp => {
                let given =
                    [("ca", &raw.ca), ("client_certificate", &raw.client_certificate), ("client_key", &raw.client_key)];
                for (key, text) in given.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?))) {
                    self.reader.report(&text.span(), format!("\"{key}\": is for transport = \"tls\" only"));
                }
                None
            }
        };
        Some(Syslog { server: server?, transport, tls, facility: facility?, queue: queue? })
    }

    fn tls(&mut self, ca: Text, certificate: Text, key: Text, section: &Range<usize>) -> Option<Tls> {
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((self.path(Some(certificate), ""), self.path(Some(key), ""))),
            (None, None) => None,
            (Some(one), None) => {
                self.reader.report(&one.span(), "\"client_certificate\": needs \"client_key\" beside it");
                return None;
            }
            (None, Some(one)) => {
                self.reader.report(&one.span(), "\"client_key\": needs \"client_certificate\" beside it");
                return None;
            }
        };
        if ca.is_none() {
            self.reader.report(section, "[exports.syslog]: transport \"tls\" needs the key \"ca\"");
            return None;
        }
        Some(Tls { ca: self.path(ca, ""), client })
    }

    fn server(&mut self, text: &Spanned<String>) -> Option<Server> {
        let split = text.get_ref().rsplit_once(':');
        let found = split.and_then(|(host, port)| {
            let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let host = bracketed.unwrap_or(host);
            let name = ServerName::try_from(host).ok()?;
            // An IPv6 address without brackets is a riddle.
            let sound = matches!(name, ServerName::DnsName(_)) || host.contains(':') == bracketed.is_some();
            let port = port.parse::<u16>().ok().filter(|port| *port != 0 && sound)?;
            Some(Server { host: host.to_owned(), port })
        });
        if found.is_none() {
            let wrong = text.get_ref();
            let cause = format!("\"server\": \"{wrong}\" is not a host and a port, such as \"10.0.0.20:6514\"");
            self.reader.report(&text.span(), cause);
        }
        found
    }
}
