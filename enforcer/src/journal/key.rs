//! Which columns an [`ObservationKey`] is, in the one order that statements and rows share.

use enforcer_common::observation::ObservationKey;
use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// The columns, in the order of [`columns`] and [`key`].
pub(super) const COLUMNS: &str = "client, server, function, unit, space, first_object, last_object, port, protocol, role, \
                                  access, side, transport, reason";

/// How many there are.
pub(super) const COUNT: usize = 14;

/// The code of the reason that is part of the key.
fn reason(key: &mut ObservationKey) -> &mut u8 {
    &mut key.reason
}

/// The key's values.
pub(super) fn columns(key: &ObservationKey) -> [ToSqlOutput<'_>; COUNT] {
    let number = |value: u32| ToSqlOutput::Owned(Value::Integer(i64::from(value)));
    let address = |value| ToSqlOutput::Borrowed(ValueRef::Blob(value));
    [
        address(&key.client),
        address(&key.server),
        number(key.function),
        number(key.unit),
        number(key.space),
        number(key.first),
        number(key.last),
        number(key.port.into()),
        number(key.protocol.into()),
        number(key.role.into()),
        number(key.access.into()),
        number(key.side.into()),
        number(key.transport.into()),
        number((*reason(&mut key.clone())).into()),
    ]
}

/// The key in a row whose columns begin with [`COLUMNS`] at `at`.
pub(super) fn key(row: &Row<'_>, at: usize) -> rusqlite::Result<ObservationKey> {
    let mut key = ObservationKey {
        client: row.get(at)?,
        server: row.get(at + 1)?,
        function: row.get(at + 2)?,
        unit: row.get(at + 3)?,
        space: row.get(at + 4)?,
        first: row.get(at + 5)?,
        last: row.get(at + 6)?,
        port: row.get(at + 7)?,
        protocol: row.get(at + 8)?,
        role: row.get(at + 9)?,
        access: row.get(at + 10)?,
        side: row.get(at + 11)?,
        transport: row.get(at + 12)?,
        ..ObservationKey::EMPTY
    };
    *reason(&mut key) = row.get(at + 13)?;
    Ok(key)
}
