//! The functions of S7comm: jobs by their code, userdata by group and subfunction, program invocations by name. Names are
//! those of the manuals and of the dissectors in common use; the protocol has no public standard.

use crate::network::protocol::TCP;
use crate::operation::Access;
use crate::protocol::tables::{Function, NONE, Space, Tables};
use crate::protocol::{Protocol, s7comm::program};

/// Function codes of jobs that are read further.
pub mod job {
    /// Reads variables.
    pub const READ_VAR: u8 = 0x04;
    /// Writes variables.
    pub const WRITE_VAR: u8 = 0x05;
    /// Asks the device to fetch a block.
    pub const REQUEST_DOWNLOAD: u8 = 0x1a;
    /// The device fetches a part of it.
    pub const DOWNLOAD_BLOCK: u8 = 0x1b;
    /// The device has all of it.
    pub const DOWNLOAD_ENDED: u8 = 0x1c;
    /// Opens a block to be read.
    pub const START_UPLOAD: u8 = 0x1d;
    /// Reads a part of it.
    pub const UPLOAD: u8 = 0x1e;
    /// Closes it.
    pub const END_UPLOAD: u8 = 0x1f;
    /// Program invocation.
    pub const PI_SERVICE: u8 = 0x28;
    /// Stops the CPU.
    pub const PLC_STOP: u8 = 0x29;
    /// Negotiates sizes.
    pub const SETUP_COMMUNICATION: u8 = 0xf0;
}

/// Function number of an acknowledgement without parameters.
pub const ACKNOWLEDGE: u32 = 0x8000;

/// Group of userdata in the lower six bits of the octet that also holds the type.
pub mod group {
    /// Mode transitions, which devices announce.
    pub const MODE: u8 = 0x00;
    /// Program transfer of the numeric control.
    pub const NC: u8 = 0x3f;
    /// Block services of user programs (BSEND).
    pub const PBC: u8 = 0x06;
}

/// Function number of a subfunction of userdata: 256 times the group plus the subfunction. Group 0 counts as 64, because
/// its numbers are those of jobs, and the numeric control's as 15, as in the contract's count of four bits.
#[must_use]
#[inline(always)]
pub const fn userdata(group: u8, subfunction: u8) -> u32 {
    let counted = match group & 0x3f {
        group::MODE => 64,
        group::NC => 15,
        other => other as u32,
    };
    counted << 8 | subfunction as u32
}

/// Kinds of objects. Areas by their code on the wire; those that a number tells apart lie in blocks of 65,536.
pub mod space {
    /// First kind of object of a memory area: the area's code is added.
    pub const AREA: u32 = 0;
    /// Syntax identifiers of addresses that are not walked.
    pub const SYNTAX: u32 = 0x100;
    /// Program invocations.
    pub const PI: u32 = 0x101;
    /// Request identifiers of block services.
    pub const R_ID: u32 = 0x102;
    /// Blocks of type 0; the type, 8 to 15, is added.
    pub const BLOCK: u32 = 0x110;
    /// Data block 0.
    pub const DB: u32 = 0x0001_0000;
    /// Instance data block 0.
    pub const DI: u32 = 0x0002_0000;
}

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP],
    ports: &[102],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: 0xffff,
    inner: &[Protocol::Cotp, Protocol::S7commplus],
    ..NONE
};

/// Largest byte address: 24 bits on the wire, of which three are the bit.
pub const LAST_BYTE: u32 = 0x001f_ffff;
/// Largest number of a block.
const LAST_BLOCK: u32 = 99_999;

const SPACES: &[Space] = &[
    Space::numbered(space::DB, "DB", 0xffff, LAST_BYTE),
    Space::numbered(space::DI, "DI", 0xffff, LAST_BYTE),
    Space::plain(space::AREA + 0x81, "I", LAST_BYTE),
    Space::plain(space::AREA + 0x82, "Q", LAST_BYTE),
    Space::plain(space::AREA + 0x83, "M", LAST_BYTE),
    Space::plain(space::AREA + 0x80, "P", LAST_BYTE),
    Space::plain(space::AREA + 0x86, "L", LAST_BYTE),
    Space::plain(space::AREA + 0x87, "V", LAST_BYTE),
    Space::plain(space::AREA + 0x1c, "C", 0x00ff_ffff),
    Space::plain(space::AREA + 0x1d, "T", 0x00ff_ffff),
    Space::plain(space::AREA + 0x03, "system_information_200", LAST_BYTE),
    Space::plain(space::AREA + 0x05, "system_flags_200", LAST_BYTE),
    Space::plain(space::AREA + 0x06, "analog_inputs_200", LAST_BYTE),
    Space::plain(space::AREA + 0x07, "analog_outputs_200", LAST_BYTE),
    Space::plain(space::AREA + 0x1e, "iec_counters_200", 0x00ff_ffff),
    Space::plain(space::AREA + 0x1f, "iec_timers_200", 0x00ff_ffff),
    Space::plain(space::SYNTAX, "syntax", 0xff),
    Space::plain(space::PI, "pi", program::LAST),
    Space::plain(space::R_ID, "r_id", u32::MAX),
    Space::plain(space::BLOCK + 8, "block_ob", LAST_BLOCK),
    Space::plain(space::BLOCK + 9, "block_cmod", LAST_BLOCK),
    Space::plain(space::BLOCK + 10, "block_db", LAST_BLOCK),
    Space::plain(space::BLOCK + 11, "block_sdb", LAST_BLOCK),
    Space::plain(space::BLOCK + 12, "block_fc", LAST_BLOCK),
    Space::plain(space::BLOCK + 13, "block_sfc", LAST_BLOCK),
    Space::plain(space::BLOCK + 14, "block_fb", LAST_BLOCK),
    Space::plain(space::BLOCK + 15, "block_sfb", LAST_BLOCK),
];

const fn harmless(code: u32, name: &'static str, access: Access, technique: &'static str) -> Function {
    Function::new(code, name, access, technique, false)
}

const fn dangerous(code: u32, name: &'static str, access: Access, technique: &'static str) -> Function {
    Function::new(code, name, access, technique, true)
}

/// Every function with a name.
pub const FUNCTIONS: &[Function] = &ROWS;

const ROWS: [Function; 83 + program::LAST as usize] = program::with_rows(&[
    harmless(0x00, "cpu_services", Access::Diagnose, "T0888"),
    harmless(job::SETUP_COMMUNICATION as u32, "setup_communication", Access::Session, ""),
    harmless(job::READ_VAR as u32, "read_var", Access::Read, "T0801"),
    harmless(job::WRITE_VAR as u32, "write_var", Access::Write, "T0855"),
    dangerous(job::REQUEST_DOWNLOAD as u32, "request_download", Access::Program, "T0843"),
    dangerous(job::DOWNLOAD_BLOCK as u32, "download_block", Access::Program, "T0843"),
    dangerous(job::DOWNLOAD_ENDED as u32, "download_ended", Access::Program, "T0843"),
    harmless(job::START_UPLOAD as u32, "start_upload", Access::Program, "T0845"),
    harmless(job::UPLOAD as u32, "upload", Access::Program, "T0845"),
    harmless(job::END_UPLOAD as u32, "end_upload", Access::Program, "T0845"),
    dangerous(job::PI_SERVICE as u32, "pi_service", Access::Control, "T0858"),
    dangerous(job::PLC_STOP as u32, "plc_stop", Access::Control, "T0858"),
    harmless(ACKNOWLEDGE, "acknowledge", Access::Session, ""),
    dangerous(userdata(0, 0), "mode_stop", Access::Control, "T0858"),
    dangerous(userdata(0, 1), "mode_warm_restart", Access::Control, "T0858"),
    dangerous(userdata(0, 2), "mode_run", Access::Control, "T0858"),
    dangerous(userdata(0, 3), "mode_hot_restart", Access::Control, "T0858"),
    dangerous(userdata(0, 4), "mode_hold", Access::Control, "T0858"),
    dangerous(userdata(0, 6), "mode_cold_restart", Access::Control, "T0858"),
    dangerous(userdata(0, 9), "mode_run_redundant", Access::Control, "T0858"),
    dangerous(userdata(0, 11), "mode_link_up", Access::Control, "T0858"),
    dangerous(userdata(0, 12), "mode_update", Access::Control, "T0858"),
    harmless(userdata(1, 1), "block_status", Access::Diagnose, "T0868"),
    harmless(userdata(1, 2), "variable_status", Access::Read, "T0801"),
    harmless(userdata(1, 3), "output_istack", Access::Diagnose, "T0888"),
    harmless(userdata(1, 4), "output_bstack", Access::Diagnose, "T0888"),
    harmless(userdata(1, 5), "output_lstack", Access::Diagnose, "T0888"),
    harmless(userdata(1, 6), "time_measurement", Access::Diagnose, "T0888"),
    dangerous(userdata(1, 7), "force_selection", Access::Control, "T0835"),
    dangerous(userdata(1, 8), "modify_variable", Access::Write, "T0855"),
    dangerous(userdata(1, 9), "force", Access::Control, "T0835"),
    dangerous(userdata(1, 10), "breakpoint", Access::Control, "T0858"),
    dangerous(userdata(1, 11), "exit_hold", Access::Control, "T0858"),
    dangerous(userdata(1, 12), "memory_reset", Access::Control, "T0809"),
    harmless(userdata(1, 13), "disable_job", Access::Diagnose, ""),
    harmless(userdata(1, 14), "enable_job", Access::Diagnose, ""),
    harmless(userdata(1, 15), "delete_job", Access::Diagnose, ""),
    harmless(userdata(1, 16), "read_job_list", Access::Diagnose, "T0888"),
    harmless(userdata(1, 17), "read_job", Access::Diagnose, "T0888"),
    dangerous(userdata(1, 18), "replace_job", Access::Control, "T0835"),
    harmless(userdata(1, 19), "block_status_2", Access::Diagnose, "T0868"),
    harmless(userdata(1, 22), "flash_led", Access::Diagnose, ""),
    harmless(userdata(2, 1), "cyclic_transfer", Access::Read, "T0801"),
    harmless(userdata(2, 4), "cyclic_unsubscribe", Access::Read, ""),
    harmless(userdata(2, 5), "change_driven_transfer", Access::Read, "T0801"),
    harmless(userdata(2, 7), "change_driven_transfer_modify", Access::Read, "T0801"),
    harmless(userdata(2, 8), "read_record", Access::Read, "T0801"),
    harmless(userdata(3, 1), "list_blocks", Access::Discover, "T0888"),
    harmless(userdata(3, 2), "list_blocks_of_type", Access::Discover, "T0888"),
    harmless(userdata(3, 3), "get_block_info", Access::Discover, "T0888"),
    harmless(userdata(4, 1), "read_szl", Access::Discover, "T0888"),
    harmless(userdata(4, 2), "message_service", Access::Diagnose, "T0888"),
    harmless(userdata(4, 3), "diagnostic_message", Access::Diagnose, ""),
    harmless(userdata(4, 5), "alarm_8_indication", Access::Diagnose, ""),
    harmless(userdata(4, 6), "notify_indication", Access::Diagnose, ""),
    dangerous(userdata(4, 7), "alarm_8_lock", Access::Control, "T0878"),
    harmless(userdata(4, 8), "alarm_8_unlock", Access::Control, ""),
    harmless(userdata(4, 9), "scan_indication", Access::Diagnose, ""),
    harmless(userdata(4, 11), "alarm_acknowledge", Access::Control, ""),
    harmless(userdata(4, 12), "alarm_acknowledge_indication", Access::Diagnose, ""),
    harmless(userdata(4, 13), "alarm_8_lock_indication", Access::Diagnose, ""),
    harmless(userdata(4, 14), "alarm_8_unlock_indication", Access::Diagnose, ""),
    harmless(userdata(4, 16), "ar_send_indication", Access::Diagnose, ""),
    harmless(userdata(4, 17), "alarm_sq_indication", Access::Diagnose, ""),
    harmless(userdata(4, 18), "alarm_s_indication", Access::Diagnose, ""),
    harmless(userdata(4, 19), "alarm_query", Access::Diagnose, "T0888"),
    harmless(userdata(4, 22), "notify_8_indication", Access::Diagnose, ""),
    dangerous(userdata(5, 1), "plc_password", Access::Session, "T0859"),
    harmless(userdata(6, 1), "bsend", Access::Write, "T0855"),
    harmless(userdata(7, 1), "read_clock", Access::Read, "T0801"),
    dangerous(userdata(7, 2), "set_clock", Access::Write, "T0836"),
    harmless(userdata(7, 3), "read_clock_following", Access::Read, "T0801"),
    dangerous(userdata(7, 4), "set_clock_2", Access::Write, "T0836"),
    dangerous(userdata(group::NC, 1), "nc_request_download", Access::Program, "T0843"),
    dangerous(userdata(group::NC, 2), "nc_download_block", Access::Program, "T0843"),
    dangerous(userdata(group::NC, 3), "nc_continue_download", Access::Program, "T0843"),
    dangerous(userdata(group::NC, 4), "nc_download_ended", Access::Program, "T0843"),
    harmless(userdata(group::NC, 6), "nc_start_upload", Access::Program, "T0845"),
    harmless(userdata(group::NC, 7), "nc_upload", Access::Program, "T0845"),
    harmless(userdata(group::NC, 8), "nc_continue_upload", Access::Program, "T0845"),
    dangerous(userdata(0x20, 1), "data_record_routing_init", Access::Write, "T0836"),
    dangerous(userdata(0x20, 2), "data_record_routing_finish", Access::Write, "T0836"),
    dangerous(userdata(0x20, 3), "data_record_routing_data", Access::Write, "T0836"),
]);

/// Class of every job.
static JOBS: [u8; 256] = by_number(0);
/// Class of userdata by group and the lower five bits of the subfunction.
static USERDATA: [u8; 2048] = by_number(256);

/// Classes by number below 256, or, from 256 on, by group and subfunction below 32.
const fn by_number<const N: usize>(first: u32) -> [u8; N] {
    let mut classes = [Access::Unknown as u8; N];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
        let function = &FUNCTIONS[row];
        let place = if first == 0 { function.code } else { userdata_place(function.code) };
        let own = (function.code >= 256) == (first != 0);
        if function.object.is_none() && own && function.code != ACKNOWLEDGE {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[place as usize] = function.access as u8;
            }
        }
        row = row.wrapping_add(1);
    }
    classes
}

/// Place of a userdata function in its table.
#[inline(always)]
const fn userdata_place(function: u32) -> u32 {
    (function >> 8 & 0x3f) << 5 | function & 0x1f
}

/// Class of a job.
#[must_use]
#[inline(always)]
pub fn job_access(code: u8) -> u8 {
    match JOBS.get(code as usize) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}

/// Class of a function of userdata, numbered as [`userdata`] does.
#[must_use]
#[inline(always)]
pub fn userdata_access(function: u32) -> u8 {
    if function & 0xff >= 32 {
        return Access::Unknown as u8;
    }
    // The mask must stay where the verifier sees it.
    match USERDATA.get(core::hint::black_box(userdata_place(function)) as usize & 2047) {
        Some(class) => *class,
        None => Access::Unknown as u8,
    }
}
