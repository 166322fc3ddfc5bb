//! The configuration as it is written: every key optional, every value with its place in the file.

use serde::Deserialize;
use toml::Spanned;

type Text = Option<Spanned<String>>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPorts {
    pub network: Text,
    pub device: Text,
    pub bridge: Text,
    pub forwarding: Text,
    pub attach: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicyFile {
    pub file: Text,
    pub mode: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawControl {
    pub socket: Text,
    pub viewers: Text,
    pub operators: Text,
    pub engineers: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawState {
    pub directory: Text,
    pub journal_mib: Option<Spanned<i64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFlows {
    pub established: Option<Spanned<i64>>,
    pub per_device: Option<Spanned<i64>>,
    pub half_open: Option<Spanned<i64>>,
    pub grace: Text,
    pub connections_per_second: Option<Spanned<i64>>,
    pub resets_per_minute: Option<Spanned<i64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFailure {
    pub deadman: Text,
    pub on_deadman: Text,
    pub on_boot: Text,
}
