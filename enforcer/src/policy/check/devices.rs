//! `[devices]`: addresses that may appear on the device port only.

use super::super::address::{address, mac};
use super::super::raw::RawDevice;
use super::super::valid::Device;
use super::{Check, name_fault};
use crate::document::Piece;

impl<'s> Check<'s> {
    pub(super) fn devices(&mut self, root: &mut Piece<'s>) -> Vec<Device> {
        let Some(piece) = self.reader.table(root, "devices") else { return Vec::new() };
        let mut devices: Vec<Device> = Vec::new();
        for (key, value) in piece.entries() {
            let label = format!("device \"{}\"", key.get_ref());
            if let Some(fault) = name_fault(key.get_ref()) {
                self.reader.report(&key.span(), format!("{label}: {fault}"));
                continue;
            }
            let Some(piece) = self.reader.piece(label.clone(), value) else { continue };
            let Some(raw) = self.reader.read::<RawDevice>(piece) else { continue };
            if raw.ip.is_none() && raw.mac.is_none() {
                self.reader.report(&key.span(), format!("{label}: the key \"ip\" or \"mac\" is missing"));
                continue;
            }
            let mut found = (None, None);
            if let Some(ip) = raw.ip {
                match address(ip.get_ref()) {
                    Ok(address) => {
                        if let Some(other) = devices.iter().find(|device| device.address == Some(address)) {
                            let text = format!(
                                "{label}: {address} is device \"{}\" already (line {})",
                                other.name, other.line
                            );
                            self.reader.report(&ip.span(), text);
                        }
                        found.0 = Some(address);
                    }
                    Err(cause) => self.reader.report(&ip.span(), format!("{label}: {cause}")),
                }
            }
            if let Some(text) = raw.mac {
                match mac(text.get_ref()) {
                    Ok(mac) => found.1 = Some(mac),
                    Err(cause) => self.reader.report(&text.span(), format!("{label}: {cause}")),
                }
            }
            let line = self.reader.source.line(&key.span());
            devices.push(Device { name: key.into_inner(), address: found.0, mac: found.1, line });
        }
        devices
    }
}
