//! What the tests of the core stand on: a host, small policies, frames and a Modbus encoder of their own.

pub(crate) mod bacnet;
pub(crate) mod checksum;
pub(crate) mod cotp;
pub(crate) mod dissect;
pub(crate) mod dnp3;
pub(crate) mod enip;
pub(crate) mod frames;
pub(crate) mod host;
pub(crate) mod iec104;
pub(crate) mod mms;
pub(crate) mod modbus;
pub(crate) mod opcua;
pub(crate) mod policy;
pub(crate) mod wire;
