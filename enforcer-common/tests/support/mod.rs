//! What the tests of the core stand on: a host, small policies, frames and a Modbus encoder of their own.

pub(crate) mod checksum;
pub(crate) mod enip;
pub(crate) mod frames;
pub(crate) mod host;
pub(crate) mod modbus;
pub(crate) mod policy;
pub(crate) mod wire;
