//! An encoder of OPC UA binary written from the standard, not from the parser.

/// The policy under which nothing is hidden.
pub(crate) const NONE: &str = "http://opcfoundation.org/UA/SecurityPolicy#None";

fn length(size: usize) -> [u8; 4] {
    u32::try_from(size).expect("32 bits").to_le_bytes()
}

/// A chunk: message type with chunk type, size, what stands behind.
pub(crate) fn chunk(kind: &str, behind: &[u8]) -> Vec<u8> {
    [kind.as_bytes(), &length(behind.len() + 8), behind].concat()
}

/// A string; `None` is none.
pub(crate) fn string(text: Option<&str>) -> Vec<u8> {
    match text {
        Some(text) => [&length(text.len())[..], text.as_bytes()].concat(),
        None => vec![0xff; 4],
    }
}

/// Words of 32 bits.
pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// NodeIds in the shortest encoding that fits.
pub(crate) fn numeric(namespace: u16, number: u32) -> Vec<u8> {
    match (u8::try_from(namespace), u16::try_from(number)) {
        (Ok(0), Ok(low @ 0..=255)) => vec![0, low.to_le_bytes()[0]],
        (Ok(namespace), Ok(number)) => [&[1, namespace][..], &number.to_le_bytes()].concat(),
        _ => long(namespace, number),
    }
}

/// The encoding that fits all.
pub(crate) fn long(namespace: u16, number: u32) -> Vec<u8> {
    [&[2][..], &namespace.to_le_bytes(), &number.to_le_bytes()].concat()
}

/// Strings 3, GUIDs 4, byte strings 5.
pub(crate) fn named(form: u8, namespace: u16, identifier: &[u8]) -> Vec<u8> {
    let head = [&[form][..], &namespace.to_le_bytes()].concat();
    let size = if form == 4 { vec![] } else { length(identifier.len()).to_vec() };
    [head, size, identifier.to_vec()].concat()
}

pub(crate) fn text(namespace: u16, identifier: &str) -> Vec<u8> {
    named(3, namespace, identifier.as_bytes())
}

pub(crate) fn hello() -> Vec<u8> {
    chunk("HELF", &[words(&[0, 65535, 65535, 0, 0]), string(Some("opc.tcp://10.10.2.5:4840/x"))].concat())
}

pub(crate) fn acknowledge(receive: u32) -> Vec<u8> {
    chunk("ACKF", &words(&[0, receive, 65535, 0, 0]))
}

pub(crate) fn reverse_hello() -> Vec<u8> {
    chunk("RHEF", &[string(Some("urn:server")), string(Some("opc.tcp://10.10.2.5:4840"))].concat())
}

/// Authentication token, time, handle, diagnostics, audit entry, timeout, additional header.
pub(crate) fn request_header() -> Vec<u8> {
    [long(0, 0x1234_5678), vec![7; 8], words(&[1, 0]), string(None), words(&[4000]), vec![0, 0, 0]].concat()
}

/// Time, handle, status, diagnostics, strings, additional header.
pub(crate) fn response_header(status: u32) -> Vec<u8> {
    [vec![7; 8], words(&[1, status]), vec![0], words(&[0]), vec![0, 0, 0]].concat()
}

/// An OpenSecureChannel chunk around any body.
pub(crate) fn channel(policy: &str, body: &[u8]) -> Vec<u8> {
    let certificate = if policy == NONE { string(None) } else { string(Some("certificate")) };
    chunk(
        "OPNF",
        &[&words(&[0])[..], &string(Some(policy)), &certificate, &string(None), &words(&[1, 1]), body].concat(),
    )
}

/// The request that opens a channel.
pub(crate) fn open(policy: &str) -> Vec<u8> {
    let body = [numeric(0, 446), request_header(), words(&[0, 0, 1]), string(None), words(&[3_600_000])].concat();
    channel(policy, &body)
}

pub(crate) fn opened() -> Vec<u8> {
    let body = [numeric(0, 449), response_header(0), words(&[0, 6, 1]), vec![0; 8], words(&[9]), string(None)].concat();
    channel(NONE, &body)
}

/// A chunk of a message with any body.
pub(crate) fn raw(kind: &str, request: u32, body: &[u8]) -> Vec<u8> {
    chunk(kind, &[&words(&[6, 1, request, request])[..], body].concat())
}

/// A message in one chunk: the service by the four bytes of its NodeId, a request header, its parameters.
pub(crate) fn request(service: u32, parameters: &[u8]) -> Vec<u8> {
    raw("MSGF", 2, &[&numeric(0, service)[..], &request_header(), parameters].concat())
}

pub(crate) fn answer(service: u32, status: u32) -> Vec<u8> {
    raw("MSGF", 2, &[numeric(0, service), response_header(status)].concat())
}

/// A list with its length.
pub(crate) fn list(elements: &[Vec<u8>]) -> Vec<u8> {
    [&length(elements.len())[..], &elements.concat()].concat()
}

/// What Read asks of a node: value, no range, default encoding.
pub(crate) fn reading(node: &[u8]) -> Vec<u8> {
    [node, &words(&[13]), &string(None), &[0, 0], &string(None)].concat()
}

pub(crate) fn read(nodes: &[Vec<u8>]) -> Vec<u8> {
    let nodes: Vec<Vec<u8>> = nodes.iter().map(|node| reading(node)).collect();
    request(631, &[vec![0; 8], words(&[2]), list(&nodes)].concat())
}

/// What Write does to a node: attribute, no range, and a DataValue.
pub(crate) fn writing(node: &[u8], attribute: u32, value: &[u8]) -> Vec<u8> {
    [node, &words(&[attribute]), &string(None), value].concat()
}

pub(crate) fn write(elements: &[Vec<u8>]) -> Vec<u8> {
    request(673, &list(elements))
}

/// A DataValue with nothing but a variant.
pub(crate) fn value(variant: &[u8]) -> Vec<u8> {
    [&[1], variant].concat()
}

pub(crate) fn call(elements: &[Vec<u8>]) -> Vec<u8> {
    request(712, &list(elements))
}

/// Object, method, arguments.
pub(crate) fn calling(object: &[u8], method: &[u8], arguments: &[Vec<u8>]) -> Vec<u8> {
    [object, method, &list(arguments)].concat()
}

/// What is monitored: value, mode, handle, interval, filter, queue, what is discarded.
pub(crate) fn monitoring(node: &[u8], filter: &[u8]) -> Vec<u8> {
    [&reading(node), &words(&[2, 1])[..], &[0; 8], filter, &words(&[1]), &[1]].concat()
}

pub(crate) fn monitor(elements: &[Vec<u8>]) -> Vec<u8> {
    request(751, &[words(&[5, 2]), list(elements)].concat())
}
