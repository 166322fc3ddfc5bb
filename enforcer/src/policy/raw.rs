//! The policy as it is written: every key optional, every value with its place in the file, nothing checked.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::document::Word;

pub(super) type Text = Option<Spanned<String>>;
pub(super) type Texts = Option<Spanned<Vec<Spanned<String>>>>;
pub(super) type Words = Option<Spanned<Vec<Spanned<Word>>>>;

/// `[policy]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub name: Text,
    pub revision: Option<Spanned<i64>>,
    pub default: Text,
    pub on_unsynchronised: Text,
    pub fragments: Text,
    pub ip_options: Text,
}

/// One entry of `[devices]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDevice {
    pub ip: Text,
    pub mac: Text,
}

/// One `[[ethernet]]`. Its rules are read one by one; the key stands here so that it is known.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEthernet {
    pub types: Words,
    pub action: Text,
    #[serde(rename = "rules")]
    pub _rules: Option<IgnoredAny>,
}

/// One `[[conduits]]`. Its rules are read one by one; the key stands here so that it is known.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConduit {
    pub name: Text,
    pub from: Texts,
    pub to: Texts,
    pub protocol: Text,
    pub ports: Option<Spanned<Vec<Spanned<i64>>>>,
    pub mode: Text,
    pub on_deny: Text,
    pub segmentation: Text,
    #[serde(rename = "rules")]
    pub _rules: Option<IgnoredAny>,
}

/// One `[[conduits.rules]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub name: Text,
    pub functions: Words,
    pub units: Words,
    pub objects: Texts,
    pub values: Words,
    pub rate: Text,
    pub max_step: Option<Spanned<i64>>,
    pub action: Text,
}
