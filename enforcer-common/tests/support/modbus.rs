//! An encoder of Modbus written from the standard, not from the parser.

use super::frames::be;

/// An application data unit with the length that its PDU has.
pub(crate) fn adu(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    raw(transaction, 0, pdu.len() + 1, unit, pdu)
}

/// An application data unit with any header.
pub(crate) fn raw(transaction: u16, protocol: u16, length: usize, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = [transaction.to_be_bytes(), protocol.to_be_bytes(), be(length)].concat();
    bytes.push(unit);
    bytes.extend(pdu);
    bytes
}

/// Function code and 16-bit words.
pub(crate) fn words(function: u8, fields: &[u16]) -> Vec<u8> {
    let mut pdu = vec![function];
    pdu.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
    pdu
}

/// A request of the public standard.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// Functions 1 to 4: function, address, quantity.
    Read(u8, u16, u16),
    Coil(u16, bool),
    Register(u16, u16),
    /// Functions 7, 11, 12, 17.
    Bare(u8),
    /// Sub-function, data.
    Diagnostic(u16, Vec<u16>),
    Coils(u16, Vec<bool>),
    Registers(u16, Vec<u16>),
    /// (file, record, length).
    ReadFiles(Vec<(u16, u16, u16)>),
    /// (file, record, data).
    WriteFiles(Vec<(u16, u16, Vec<u16>)>),
    /// Address, AND mask, OR mask.
    Mask(u16, u16, u16),
    /// Read address, read quantity, write address, data.
    ReadWrite(u16, u16, u16, Vec<u16>),
    Fifo(u16),
    /// Code and object of device identification.
    Identify(u8, u8),
    /// Session and function of UMAS, data.
    Umas(u8, u8, Vec<u8>),
}

impl Request {
    /// Function code and data.
    pub(crate) fn pdu(&self) -> Vec<u8> {
        match self {
            Self::Read(function, address, quantity) => words(*function, &[*address, *quantity]),
            Self::Coil(address, on) => words(5, &[*address, if *on { 0xff00 } else { 0 }]),
            Self::Register(address, value) => words(6, &[*address, *value]),
            Self::Bare(function) => vec![*function],
            Self::Diagnostic(sub, data) => words(8, &[&[*sub][..], data].concat()),
            Self::Coils(address, bits) => {
                let mut pdu = words(15, &[*address, bits.len() as u16]);
                pdu.push(bits.len().div_ceil(8) as u8);
                for eight in bits.chunks(8) {
                    pdu.push(eight.iter().enumerate().map(|(bit, on)| u8::from(*on) << bit).sum());
                }
                pdu
            }
            Self::Registers(address, values) => {
                let mut pdu = words(16, &[*address, values.len() as u16]);
                pdu.push((values.len() * 2) as u8);
                pdu.extend(values.iter().flat_map(|value| value.to_be_bytes()));
                pdu
            }
            Self::ReadFiles(groups) => {
                let mut pdu = vec![20, (groups.len() * 7) as u8];
                for (file, record, length) in groups {
                    pdu.extend(words(6, &[*file, *record, *length]));
                }
                pdu
            }
            Self::WriteFiles(groups) => {
                let size: usize = groups.iter().map(|(.., data)| 7 + data.len() * 2).sum();
                let mut pdu = vec![21, size as u8];
                for (file, record, data) in groups {
                    pdu.extend(words(6, &[&[*file, *record, data.len() as u16][..], data].concat()));
                }
                pdu
            }
            Self::Mask(address, and, or) => words(22, &[*address, *and, *or]),
            Self::ReadWrite(from, quantity, to, values) => {
                let mut pdu = words(23, &[*from, *quantity, *to, values.len() as u16]);
                pdu.push((values.len() * 2) as u8);
                pdu.extend(values.iter().flat_map(|value| value.to_be_bytes()));
                pdu
            }
            Self::Fifo(address) => words(24, &[*address]),
            Self::Identify(code, object) => vec![43, 14, *code, *object],
            Self::Umas(session, function, data) => [&[90, *session, *function][..], data].concat(),
        }
    }
}

/// A read of ten registers, with this transaction.
pub(crate) fn read(transaction: u16) -> Vec<u8> {
    adu(transaction, 1, &Request::Read(3, 0, 10).pdu())
}

/// A write of one register.
pub(crate) fn write(transaction: u16) -> Vec<u8> {
    adu(transaction, 1, &Request::Register(0, 1).pdu())
}

/// The answer to [`read`].
pub(crate) fn answer(transaction: u16) -> Vec<u8> {
    adu(transaction, 1, &[&[3, 20][..], &[0; 20]].concat())
}
