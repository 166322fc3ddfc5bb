//! What a person should know about the conversations that the box follows.

use crate::dataplane::flows::Census;

/// A device's slots are nearly full above this share, in percent.
const NEARLY_FULL: u64 = 80;

/// One sentence each. `lost` segments asked for a slot and found none.
pub(super) fn attention(census: &Census, lost: u64) -> Vec<String> {
    let mut sentences = Vec::new();
    // A quarter of the slots is for conversations that stations do not open.
    let most = census.memory.flows_per_device - census.memory.flows_per_device / 4;
    for (address, device) in &census.devices {
        if device.cannot_be_locked != 0 {
            let why: Vec<String> = device.why.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            sentences.push(format!(
                "{address}: {} conversations cannot be locked ({}): enforce lets them read while the grace lasts, and \
                 denies them afterwards",
                device.cannot_be_locked,
                why.join(", ")
            ));
        }
        if device.all() * 100 > most * NEARLY_FULL {
            sentences
                .push(format!("{address}: {} of {most} conversations are in use (flows.per_device)", device.all()));
        }
    }
    if lost != 0 {
        sentences.push(format!(
            "{lost} segments of new conversations found no slot free: enforce denies such (flow_table_full)"
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::attention;
    use crate::dataplane::flows::{Census, Device, Memory};

    #[test]
    fn devices_are_named_with_what_is_wrong_with_their_conversations() {
        let well = Device { locked: 38, ..Device::default() };
        let full = Device { locked: 37, pending: 2, ..Device::default() };
        let split = Device { cannot_be_locked: 1, why: [("split_unit", 1)].into(), ..Device::default() };
        let devices = [("10.0.0.1", well), ("10.0.0.2", full), ("10.0.0.3", split)];
        let census = Census {
            devices: devices.map(|(address, device)| (address.parse().unwrap(), device)).into(),
            memory: Memory { flows_per_device: 64, ..Memory::default() },
            ..Census::default()
        };
        let sentences = attention(&census, 3);
        assert_eq!(sentences.len(), 3, "{sentences:#?}");
        assert!(sentences[0].starts_with("10.0.0.2: 39 of 48 conversations"), "{sentences:#?}");
        assert!(
            sentences[1].starts_with("10.0.0.3: 1 conversations cannot be locked (split_unit 1)"),
            "{sentences:#?}"
        );
        assert!(sentences[2].starts_with("3 segments"), "{sentences:#?}");
        assert!(attention(&Census::default(), 0).is_empty());
    }
}
