//! The lab: namespaces, peers, captures.
