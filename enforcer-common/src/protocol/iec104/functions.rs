//! The function table of IEC 60870-5-104: type identification, the standard's label, class, technique.
//!
//! Labels are those of IEC 60870-5-101 7.2.1.1 and IEC 60870-5-7 in lower case: `c_sc_na_1` is the single command. What an
//! interrogation of counters does to them, and a file command that deletes, are functions of their own, told apart by the
//! kind of object they touch.

use crate::network::protocol::TCP;
use crate::operation::Access;
use crate::protocol::tables::{Form, Function, FunctionObject, Member, NONE, Space, Tables};

/// Kinds of objects.
pub mod space {
    /// Information objects of type identification 0; those of type n are this plus n. The object is the information object
    /// address, its member whether it is only selected.
    pub const TYPE: u32 = 0;
    /// Counters that an interrogation freezes or resets, by information object address (IEC 60870-5-101 7.2.6.23).
    pub const COUNTER_FREEZE: u32 = 0x100;
    /// Files that are deleted, by information object address (IEC 60870-5-101 7.2.6.30).
    pub const FILE_DELETE: u32 = 0x101;
}

/// Largest information object address: three octets, IEC 60870-5-104 8.4.
pub const LAST_ADDRESS: u32 = 0x00ff_ffff;

/// Bits of an object number below the information object address: 1 is a command that selects (S/E, 7.2.6.26). A command
/// that executes covers both, so that whoever may execute may select.
pub const SELECT_BITS: u32 = 1;

/// What is added to the control octet of a U frame to make its function number.
pub const UNNUMBERED: u32 = 256;

/// All that policies and reports need.
pub const TABLES: Tables = Tables {
    transports: &[TCP],
    ports: &[2404],
    functions: FUNCTIONS,
    spaces: SPACES,
    last_function: UNNUMBERED | 0xff,
    last_unit: 65535,
    ..NONE
};

/// The words in front of the colon in a rule's `objects`.
pub const SPACES: &[Space] = &[
    Space {
        space: space::TYPE,
        name: "type ",
        last: LAST_ADDRESS,
        form: Form::Numbered { last: 255 },
        member: Some(Member { name: "select", bits: SELECT_BITS }),
    },
    Space::plain(space::COUNTER_FREEZE, "counter-freeze", LAST_ADDRESS),
    Space::plain(space::FILE_DELETE, "file-delete", LAST_ADDRESS),
];

/// Process information, system information: comes from the controlled station alone. Sent to one it is a spoofed report.
const fn monitor(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Read, "T0856", false)
}

const fn command(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Write, "T0855", false)
}

const fn parameter(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Write, "T0836", false)
}

/// Moves a file to the device.
const fn download(code: u32, name: &'static str) -> Function {
    Function::new(code, name, Access::Program, "T0843", true)
}

const fn session(code: u32, name: &'static str, technique: &'static str) -> Function {
    Function::new(code, name, Access::Session, technique, false)
}

/// A function that its kind of object tells from others of the same type.
const fn divided(function: Function, space: u32, last: u32) -> Function {
    Function { object: Some(FunctionObject { space, first: 0, last }), ..function }
}

/// The objects of a type as they are.
const fn plain(function: Function) -> Function {
    let last = LAST_ADDRESS << SELECT_BITS | ((1 << SELECT_BITS) - 1);
    divided(function, space::TYPE.wrapping_add(function.code), last)
}

/// Every type identification with a label, and the U frames. A row with an object is a part of its type.
pub const FUNCTIONS: &[Function] = &[
    monitor(1, "m_sp_na_1"),
    monitor(2, "m_sp_ta_1"),
    monitor(3, "m_dp_na_1"),
    monitor(4, "m_dp_ta_1"),
    monitor(5, "m_st_na_1"),
    monitor(6, "m_st_ta_1"),
    monitor(7, "m_bo_na_1"),
    monitor(8, "m_bo_ta_1"),
    monitor(9, "m_me_na_1"),
    monitor(10, "m_me_ta_1"),
    monitor(11, "m_me_nb_1"),
    monitor(12, "m_me_tb_1"),
    monitor(13, "m_me_nc_1"),
    monitor(14, "m_me_tc_1"),
    monitor(15, "m_it_na_1"),
    monitor(16, "m_it_ta_1"),
    monitor(17, "m_ep_ta_1"),
    monitor(18, "m_ep_tb_1"),
    monitor(19, "m_ep_tc_1"),
    monitor(20, "m_ps_na_1"),
    monitor(21, "m_me_nd_1"),
    monitor(30, "m_sp_tb_1"),
    monitor(31, "m_dp_tb_1"),
    monitor(32, "m_st_tb_1"),
    monitor(33, "m_bo_tb_1"),
    monitor(34, "m_me_td_1"),
    monitor(35, "m_me_te_1"),
    monitor(36, "m_me_tf_1"),
    monitor(37, "m_it_tb_1"),
    monitor(38, "m_ep_td_1"),
    monitor(39, "m_ep_te_1"),
    monitor(40, "m_ep_tf_1"),
    monitor(41, "s_it_tc_1"),
    command(45, "c_sc_na_1"),
    command(46, "c_dc_na_1"),
    command(47, "c_rc_na_1"),
    parameter(48, "c_se_na_1"),
    parameter(49, "c_se_nb_1"),
    parameter(50, "c_se_nc_1"),
    command(51, "c_bo_na_1"),
    command(58, "c_sc_ta_1"),
    command(59, "c_dc_ta_1"),
    command(60, "c_rc_ta_1"),
    parameter(61, "c_se_ta_1"),
    parameter(62, "c_se_tb_1"),
    parameter(63, "c_se_tc_1"),
    command(64, "c_bo_ta_1"),
    monitor(70, "m_ei_na_1"),
    session(81, "s_ch_na_1", ""),
    session(82, "s_rp_na_1", ""),
    session(83, "s_ar_na_1", ""),
    session(84, "s_kr_na_1", ""),
    session(85, "s_ks_na_1", ""),
    session(86, "s_kc_na_1", ""),
    session(87, "s_er_na_1", ""),
    session(90, "s_us_na_1", "T0892"),
    session(91, "s_uq_na_1", "T0892"),
    session(92, "s_ur_na_1", "T0892"),
    session(93, "s_uk_na_1", "T0892"),
    session(94, "s_ua_na_1", "T0892"),
    session(95, "s_uc_na_1", "T0892"),
    Function::new(100, "c_ic_na_1", Access::Read, "T0801", false),
    plain(Function::new(101, "c_ci_na_1", Access::Read, "T0801", false)),
    divided(parameter(101, "c_ci_na_1_freeze"), space::COUNTER_FREEZE, LAST_ADDRESS),
    Function::new(102, "c_rd_na_1", Access::Read, "T0801", false),
    parameter(103, "c_cs_na_1"),
    Function::new(104, "c_ts_na_1", Access::Diagnose, "", false),
    Function::new(105, "c_rp_na_1", Access::Control, "T0816", true),
    session(106, "c_cd_na_1", ""),
    Function::new(107, "c_ts_ta_1", Access::Diagnose, "", false),
    parameter(110, "p_me_na_1"),
    parameter(111, "p_me_nb_1"),
    parameter(112, "p_me_nc_1"),
    parameter(113, "p_ac_na_1"),
    download(120, "f_fr_na_1"),
    download(121, "f_sr_na_1"),
    plain(Function::new(122, "f_sc_na_1", Access::Read, "T0811", false)),
    divided(Function::new(122, "f_sc_na_1_delete", Access::Write, "T0809", true), space::FILE_DELETE, LAST_ADDRESS),
    download(123, "f_ls_na_1"),
    Function::new(124, "f_af_na_1", Access::Read, "T0811", false),
    download(125, "f_sg_na_1"),
    monitor(126, "f_dr_ta_1"),
    Function::new(127, "f_sc_nb_1", Access::Read, "T0811", false),
    session(UNNUMBERED | 0x07, "startdt_act", ""),
    session(UNNUMBERED | 0x0b, "startdt_con", ""),
    session(UNNUMBERED | 0x13, "stopdt_act", "T0804"),
    session(UNNUMBERED | 0x23, "stopdt_con", ""),
    session(UNNUMBERED | 0x43, "testfr_act", ""),
    session(UNNUMBERED | 0x83, "testfr_con", ""),
];

/// Class of each type identification, made from the table: the kernel can't search a table of strings. Of a divided type
/// the class of its first row.
static CLASSES: [u8; 128] = {
    let mut classes = [Access::Unknown as u8; 128];
    let mut rest = FUNCTIONS;
    while let [rows @ .., row] = rest {
        if row.code < 128 {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: out of bounds does not build")]
            {
                classes[row.code as usize] = row.access as u8;
            }
        }
        rest = rows;
    }
    classes
};

/// Class of a type identification.
#[must_use]
#[inline(always)]
pub fn access(code: u8) -> u8 {
    // The mask must stay where the verifier sees it.
    match CLASSES.get(core::hint::black_box(code) as usize & 127) {
        Some(class) if code < 128 => *class,
        _ => Access::Unknown as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::access;
    use crate::operation::Access;

    #[test]
    fn classes_come_from_the_table() {
        assert_eq!(access(45), Access::Write as u8);
        assert_eq!(access(101), Access::Read as u8, "of the first row");
        assert_eq!(access(122), Access::Read as u8);
        assert_eq!(access(105), Access::Control as u8);
        for code in [0, 22, 99, 128, 173, 255] {
            assert_eq!(access(code), Access::Unknown as u8, "{code}");
        }
    }
}
