//! Program invocations: the services of function 0x28, which a name tells apart. Those that are known are functions of
//! their own; whatever else stands there is only the whole function.

use core::hint::black_box;

use super::functions::{job, space};
use crate::bytes::Bytes;
use crate::operation::{Access, Operation};
use crate::protocol::tables::{Function, FunctionObject};
use crate::scratch::Scratch;

/// Longest name that is known.
const LONGEST: u32 = 16;

/// A service with its name on the wire.
#[derive(Clone, Copy)]
struct Service {
    /// The name as a number of 16 bytes, in two.
    key: [u64; 2],
    name: &'static str,
    access: Access,
    technique: &'static str,
    dangerous: bool,
}

const fn service(wire: &[u8], name: &'static str, access: Access, technique: &'static str, dangerous: bool) -> Service {
    let [mut high, mut low] = [0u64; 2];
    let mut rest = wire;
    while let [byte, tail @ ..] = rest {
        high = high << 8 | low >> 56;
        low = low << 8 | *byte as u64;
        rest = tail;
    }
    let key = [high, low];
    Service { key, name, access, technique, dangerous }
}

/// Names and what they do, from the dissectors in common use and the manuals of the numeric control.
const SERVICES: &[Service] = &[
    service(b"_INSE", "pi_insert_block", Access::Program, "T0843", true),
    service(b"_INS2", "pi_insert_block_2", Access::Program, "T0843", true),
    service(b"_DELE", "pi_delete_block", Access::Program, "T0809", true),
    service(b"P_PROGRAM", "pi_program_start", Access::Control, "T0858", true),
    service(b"_MODU", "pi_copy_ram_to_rom", Access::Firmware, "T0889", true),
    service(b"_GARB", "pi_compress_memory", Access::Control, "", false),
    service(b"_PLC_MEMORYRESET", "pi_memory_reset", Access::Control, "T0809", true),
    service(b"_N_LOGIN_", "pi_nc_login", Access::Session, "T0859", true),
    service(b"_N_LOGOUT", "pi_nc_logout", Access::Session, "", false),
    service(b"_N_CANCEL", "pi_nc_cancel_alarm", Access::Control, "", false),
    service(b"_N_DASAVE", "pi_nc_save_to_flash", Access::Firmware, "T0889", true),
    service(b"_N_DIGIOF", "pi_nc_digitizing_off", Access::Control, "T0855", true),
    service(b"_N_DIGION", "pi_nc_digitizing_on", Access::Control, "T0855", true),
    service(b"_N_DZERO_", "pi_nc_invalidate_d_numbers", Access::Write, "T0836", true),
    service(b"_N_ENDEXT", "pi_nc_end_external", Access::Control, "T0855", true),
    service(b"_N_F_OPER", "pi_nc_file_open_read_only", Access::Program, "T0845", false),
    service(b"_N_OST_OF", "pi_nc_overstore_off", Access::Control, "T0855", true),
    service(b"_N_OST_ON", "pi_nc_overstore_on", Access::Control, "T0855", true),
    service(b"_N_SCALE_", "pi_nc_unit_of_measurement", Access::Write, "T0836", true),
    service(b"_N_SETUFR", "pi_nc_activate_user_frame", Access::Write, "T0836", true),
    service(b"_N_STRTLK", "pi_nc_start_lock", Access::Control, "T0814", true),
    service(b"_N_STRTUL", "pi_nc_start_unlock", Access::Control, "T0858", true),
    service(b"_N_TMRASS", "pi_nc_reset_active_status", Access::Write, "T0836", true),
    service(b"_N_F_DELE", "pi_nc_file_delete", Access::Program, "T0809", true),
    service(b"_N_EXTERN", "pi_nc_select_external_program", Access::Control, "T0821", true),
    service(b"_N_EXTMOD", "pi_nc_select_external_module", Access::Control, "T0821", true),
    service(b"_N_F_DELR", "pi_nc_file_delete_without_rights", Access::Program, "T0809", true),
    service(b"_N_F_XFER", "pi_nc_file_select_for_upload", Access::Program, "T0845", false),
    service(b"_N_LOCKE_", "pi_nc_lock_for_editing", Access::Program, "T0843", true),
    service(b"_N_SELECT", "pi_nc_select_program", Access::Control, "T0821", true),
    service(b"_N_SRTEXT", "pi_nc_mark_external_file", Access::Program, "T0843", true),
    service(b"_N_F_CLOS", "pi_nc_file_close", Access::Program, "T0845", false),
    service(b"_N_F_OPEN", "pi_nc_file_open", Access::Program, "T0843", true),
    service(b"_N_F_SEEK", "pi_nc_file_seek", Access::Program, "T0845", false),
    service(b"_N_ASUP__", "pi_nc_assign_interrupt", Access::Control, "T0821", true),
    service(b"_N_CHEKDM", "pi_nc_check_d_numbers", Access::Diagnose, "", false),
    service(b"_N_CHKDNO", "pi_nc_check_tools_d_numbers", Access::Diagnose, "", false),
    service(b"_N_CONFIG", "pi_nc_reconfigure_machine_data", Access::Write, "T0836", true),
    service(b"_N_CRCEDN", "pi_nc_create_cutting_edge_number", Access::Write, "T0836", true),
    service(b"_N_DELECE", "pi_nc_delete_cutting_edge", Access::Write, "T0836", true),
    service(b"_N_CREACE", "pi_nc_create_cutting_edge", Access::Write, "T0836", true),
    service(b"_N_CREATO", "pi_nc_create_tool", Access::Write, "T0836", true),
    service(b"_N_DELETO", "pi_nc_delete_tool", Access::Write, "T0836", true),
    service(b"_N_CRTOCE", "pi_nc_create_tool_with_edge", Access::Write, "T0836", true),
    service(b"_N_DELVAR", "pi_nc_delete_data_block", Access::Program, "T0809", true),
    service(b"_N_F_COPY", "pi_nc_file_copy", Access::Program, "T0843", true),
    service(b"_N_F_DMDA", "pi_nc_delete_mda_memory", Access::Program, "T0809", true),
    service(b"_N_F_PROR", "pi_nc_file_protection", Access::Program, "T0843", true),
    service(b"_N_F_PROT", "pi_nc_file_protection_level", Access::Program, "T0843", true),
    service(b"_N_F_RENA", "pi_nc_file_rename", Access::Program, "T0843", true),
    service(b"_N_FINDBL", "pi_nc_search_run", Access::Control, "T0855", true),
    service(b"_N_IBN_SS", "pi_nc_set_up_switch", Access::Control, "T0858", true),
    service(b"_N_MMCSEM", "pi_nc_semaphore", Access::Session, "", false),
    service(b"_N_NCKMOD", "pi_nc_operating_mode", Access::Control, "T0858", true),
    service(b"_N_NEWPWD", "pi_nc_new_password", Access::Session, "T0892", true),
    service(b"_N_SEL_BL", "pi_nc_select_block", Access::Control, "T0821", true),
    service(b"_N_SETTST", "pi_nc_activate_replacement_tools", Access::Write, "T0836", true),
    service(b"_N_TMAWCO", "pi_nc_active_wear_group", Access::Write, "T0836", true),
    service(b"_N_TMCRTC", "pi_nc_create_managed_tool_with_edge", Access::Write, "T0836", true),
    service(b"_N_TMCRTO", "pi_nc_create_managed_tool", Access::Write, "T0836", true),
    service(b"_N_TMFDPL", "pi_nc_find_place_for_loading", Access::Diagnose, "", false),
    service(b"_N_TMFPBP", "pi_nc_find_empty_place", Access::Diagnose, "", false),
    service(b"_N_TMGETT", "pi_nc_get_tool_number", Access::Diagnose, "", false),
    service(b"_N_TMMVTL", "pi_nc_move_tool", Access::Control, "T0855", true),
    service(b"_N_TMPCIT", "pi_nc_piece_counter", Access::Write, "T0836", true),
    service(b"_N_TMPOSM", "pi_nc_position_magazine", Access::Control, "T0855", true),
    service(b"_N_TRESMO", "pi_nc_reset_monitoring", Access::Write, "T0836", true),
    service(b"_N_TSEARC", "pi_nc_search_tool", Access::Diagnose, "", false),
];

/// Largest number of a service; they are counted from 1, in the order of the list.
#[expect(clippy::cast_possible_truncation, reason = "fewer than 128")]
pub const LAST: u32 = COUNT as u32;
const COUNT: usize = SERVICES.len();

/// The rows of a function table with those of the services behind them.
pub(super) const fn with_rows<const N: usize, const M: usize>(rows: &[Function; N]) -> [Function; M] {
    assert!(M == N.wrapping_add(COUNT), "a row for each function and each service");
    let mut all = [Function::new(0, "", Access::Unknown, "", false); M];
    let mut index = 0;
    while index < M {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            all[index] = if index < N { rows[index] } else { row(index.wrapping_sub(N)) };
        }
        index = index.wrapping_add(1);
    }
    all
}

const fn row(index: usize) -> Function {
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
    let service = &SERVICES[index];
    #[expect(clippy::cast_possible_truncation, reason = "fewer than 128")]
    let number = (index as u32).wrapping_add(1);
    let object = Some(FunctionObject { space: space::PI, first: number, last: number });
    let Service { name, access, technique, dangerous, .. } = *service;
    Function { code: job::PI_SERVICE as u32, object, name, access, technique, dangerous }
}

/// Names as numbers, and the classes, in the order of the list.
static KEYS: [[u64; 2]; COUNT] = {
    let mut keys = [[0; 2]; COUNT];
    let mut index = 0;
    while index < COUNT {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            keys[index] = SERVICES[index].key;
        }
        index = index.wrapping_add(1);
    }
    keys
};
static CLASSES: [u8; 128] = {
    let mut classes = [Access::Control as u8; 128];
    let mut index = 0;
    while index < COUNT {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        {
            classes[index.wrapping_add(1)] = SERVICES[index].access as u8;
        }
        index = index.wrapping_add(1);
    }
    classes
};

/// Gives the last record the service whose name stands from `walking.at` to `walking.end`, where it is known.
#[inline(always)]
pub(super) fn read<B: Bytes + ?Sized>(bytes: &B, scratch: &mut Scratch) {
    let end = scratch.walking.end;
    let length = end.wrapping_sub(scratch.walking.at);
    if length > LONGEST {
        return;
    }
    // More than as many bytes stand in front of the name.
    let Some([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]) = bytes.read::<16>(end.wrapping_sub(LONGEST)) else {
        return;
    };
    let high = u64::from_be_bytes([a, b, c, d, e, f, g, h]) & mask(length.saturating_sub(8));
    let low = u64::from_be_bytes([i, j, k, l, m, n, o, p]) & mask(length);
    if let Some(operation) = scratch.operation_mut(scratch.count.wrapping_sub(1)) {
        operation.first = 0;
        find(high, low, operation);
    }
}

/// The lower `bytes` bytes of a number.
#[inline(always)]
const fn mask(bytes: u32) -> u64 {
    if bytes >= 8 { u64::MAX } else { (1u64 << ((bytes & 7) << 3)).wrapping_sub(1) }
}

#[inline(always)]
fn find(high: u64, low: u64, operation: &mut Operation) {
    operation.value_min = high.cast_signed();
    operation.value_max = low.cast_signed();
    let mut number = 0u32;
    for [first, second] in &KEYS {
        // Read back in each turn: what a comparison tells of them would multiply the verifier's paths.
        let operation = black_box(&mut *operation);
        number = number.wrapping_add(1);
        if operation.value_max.cast_unsigned() == *second && operation.value_min.cast_unsigned() == *first {
            operation.first = number;
        }
    }
    let operation = black_box(operation);
    operation.value_min = 0;
    operation.value_max = 0;
    let found = operation.first;
    operation.last = found;
    if found != 0 {
        operation.space = space::PI;
    }
    if let Some(class) = CLASSES.get(black_box(found) as usize & 127) {
        operation.access = *class;
    }
}
