//! Other people's clients and servers through the box, one protocol at a time: a read passes, what the policy does not
//! allow never reaches the server's application, and the session ends as the policy says.

mod bacnet;
mod dnp3;
mod enip;
mod fins;
mod goose;
mod iec104;
mod mms;
mod modbus;
mod opcua;
mod profinet;
mod s7comm;
mod slmp;
