//! What a Modbus request asks for, and whether the suite's policy allows it: the oracle's own reading, apart from the
//! enforcer's.

use tokio_modbus::prelude::Request;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub function: u8,
    pub first: u16,
    pub count: u16,
    pub values: Vec<u16>,
}

impl Operation {
    /// Reads a protocol data unit; a shape that the policy cannot allow has only its function.
    pub fn read(pdu: &[u8]) -> Operation {
        let words = |bytes: &[u8]| bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        let (function, first, count, values) = match *pdu {
            [3, a, b, c, d] => (3, [a, b], u16::from_be_bytes([c, d]), Vec::new()),
            [6, a, b, ref value @ ..] if value.len() == 2 => (6, [a, b], 1, words(value)),
            [16, a, b, c, d, length, ref values @ ..]
                if values.len() == usize::from(length)
                    && values.len() == 2 * usize::from(u16::from_be_bytes([c, d])) =>
            {
                (16, [a, b], u16::from_be_bytes([c, d]), words(values))
            }
            _ => (pdu.first().copied().unwrap_or_default(), [0, 0], 0, Vec::new()),
        };
        Operation { function, first: u16::from_be_bytes(first), count, values }
    }

    /// What tokio-modbus decoded.
    pub fn of(request: &Request<'_>) -> Operation {
        let (function, first, count, values) = match request {
            Request::ReadHoldingRegisters(first, count) => (3, *first, *count, Vec::new()),
            Request::WriteSingleRegister(first, value) => (6, *first, 1, vec![*value]),
            Request::WriteMultipleRegisters(first, values) => (16, *first, values.len() as u16, values.to_vec()),
            Request::ReadCoils(..)
            | Request::ReadDiscreteInputs(..)
            | Request::WriteSingleCoil(..)
            | Request::WriteMultipleCoils(..)
            | Request::ReadInputRegisters(..)
            | Request::ReportServerId
            | Request::MaskWriteRegister(..)
            | Request::ReadWriteMultipleRegisters(..)
            | Request::ReadDeviceIdentification(..)
            | Request::Custom(..) => (request.function_code().value(), 0, 0, Vec::new()),
        };
        Operation { function, first, count, values }
    }

    /// The policy of the suite in other words: reads of holding registers 0-99, writes of 0 to 1000 to 40-47.
    pub fn allowed(&self) -> bool {
        let last = u32::from(self.first) + u32::from(self.count);
        match self.function {
            3 => self.count > 0 && last <= 100,
            6 | 16 => {
                self.count > 0 && self.first >= 40 && last <= 48 && self.values.iter().all(|value| *value <= 1000)
            }
            _ => false,
        }
    }
}

/// Cuts a stream into Modbus units by their headers; what is left over is no unit.
pub fn units(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while let [_, _, _, _, a, b, ..] = *stream {
        let Some((unit, rest)) = stream.split_at_checked(6 + usize::from(u16::from_be_bytes([a, b]))) else { break };
        units.push(unit);
        stream = rest;
    }
    units
}

#[cfg(test)]
mod tests {
    use super::Operation;
    use crate::frames::{read_holding, write_multiple, write_single};

    #[test]
    fn the_policy_of_the_suite_in_other_words() {
        let allowed = |pdu: &[u8]| Operation::read(pdu).allowed();
        assert!(allowed(&read_holding(90, 10)) && !allowed(&read_holding(91, 10)) && !allowed(&read_holding(0, 0)));
        assert!(
            allowed(&write_single(47, 1000)) && !allowed(&write_single(48, 1)) && !allowed(&write_single(40, 1001))
        );
        assert!(allowed(&write_multiple(40, &[1; 8])) && !allowed(&write_multiple(40, &[1; 9])));
        assert!(!allowed(&[5, 0, 40, 0xff, 0]) && !allowed(&[16, 0, 40, 0, 2, 2, 0, 1]) && !allowed(&[]));
    }
}
