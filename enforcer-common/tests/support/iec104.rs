//! An encoder of IEC 60870-5-104 written from the standard, not from the parser.

/// An APDU with any length field.
pub(crate) fn raw(length: usize, behind: &[u8]) -> Vec<u8> {
    [&[0x68, u8::try_from(length).expect("8 bits")][..], behind].concat()
}

/// A U or S frame with these control octets.
pub(crate) fn control(octets: [u8; 4]) -> Vec<u8> {
    raw(4, &octets)
}

pub(crate) fn startdt() -> Vec<u8> {
    control([0x07, 0, 0, 0])
}

/// An S frame that acknowledges this receive sequence number.
pub(crate) fn supervisory(receive: u16) -> Vec<u8> {
    let [low, high] = (receive << 1).to_le_bytes();
    control([1, 0, low, high])
}

/// An ASDU; fields are as on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Asdu {
    pub(crate) kind: u8,
    /// Variable structure qualifier: SQ and number.
    pub(crate) qualifier: u8,
    /// T, P/N and cause.
    pub(crate) cause: u8,
    pub(crate) originator: u8,
    pub(crate) station: u16,
    /// What stands behind the identifier.
    pub(crate) objects: Vec<u8>,
}

impl Asdu {
    /// An activation of one object.
    pub(crate) fn new(kind: u8, address: u32, elements: &[u8]) -> Self {
        let objects = object(address, elements);
        Self { kind, qualifier: 1, cause: 6, originator: 0, station: 7, objects }
    }
    pub(crate) fn cause(mut self, cause: u8) -> Self {
        self.cause = cause;
        self
    }
    pub(crate) fn station(mut self, station: u16) -> Self {
        self.station = station;
        self
    }
    pub(crate) fn qualifier(mut self, qualifier: u8) -> Self {
        self.qualifier = qualifier;
        self
    }
    /// With further bytes behind its objects.
    pub(crate) fn and(mut self, bytes: &[u8]) -> Self {
        self.objects.extend(bytes);
        self
    }
    /// In an I frame with this send sequence number.
    pub(crate) fn frame(&self, send: u16) -> Vec<u8> {
        let [s0, s1] = (send << 1).to_le_bytes();
        let [a0, a1] = self.station.to_le_bytes();
        let head = [s0, s1, 0, 0, self.kind, self.qualifier, self.cause, self.originator, a0, a1];
        raw(head.len() + self.objects.len(), &[&head[..], &self.objects].concat())
    }
}

/// An information object address and what stands behind it.
pub(crate) fn object(address: u32, elements: &[u8]) -> Vec<u8> {
    [&address.to_le_bytes()[..3], elements].concat()
}
