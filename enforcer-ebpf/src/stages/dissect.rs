//! The protocols' dissectors.

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use enforcer_common::abi::slot;
use enforcer_common::decide;
use enforcer_common::protocol::{Protocol, dissect, modbus};
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Reason;
use enforcer_common::with_dissectors;

use super::judge::judged;
use super::{call, missing, scratch};
use crate::environment::{self, Maps};
use crate::window::Window;

/// True for protocols of which nearly every frame holds one unit of one range: it is judged by the program that reads it,
/// without another in between. Not for those whose dissector ends in many ways: the verifier follows the judge behind each.
const fn judges_at_once(protocol: Protocol) -> bool {
    matches!(
        protocol,
        Protocol::Modbus
            | Protocol::Bacnet
            | Protocol::Iec104
            | Protocol::Fins
            | Protocol::Slmp
            | Protocol::HartIp
            | Protocol::GeSrtp
    )
}

/// A pair of programs per dissector, and the ways to them.
macro_rules! dissectors {
    ($($name:ident $program:ident $assembled:ident;)*) => {
        $(
            /// The protocol in the frame.
            #[xdp(frags)]
            pub fn $program(context: XdpContext) -> u32 {
                let Some(scratch) = scratch() else {
                    return missing();
                };
                if dissect(Some(Protocol::$name), &Window::new(&context), scratch) {
                    call::<{ slot::dissector(Protocol::$name) }>(&context);
                    return missing();
                }
                if scratch.stream.later_count != 0 {
                    call::<{ slot::MODBUS_VALUES }>(&context);
                }
                if judges_at_once(Protocol::$name) {
                    return judged::<1>(&context, scratch);
                }
                call::<{ slot::JUDGE }>(&context);
                missing()
            }

            /// The protocol in carry + payload.
            #[xdp(frags)]
            pub fn $assembled(context: XdpContext) -> u32 {
                let Some(scratch) = scratch() else {
                    return missing();
                };
                let Some(assembled) = environment::assembled(scratch.stream.end) else {
                    return missing();
                };
                if dissect(Some(Protocol::$name), &assembled, scratch) {
                    call::<{ slot::assembled(Protocol::$name) }>(&context);
                    return missing();
                }
                if scratch.stream.later_count != 0 {
                    call::<{ slot::MODBUS_VALUES_ASSEMBLED }>(&context);
                }
                call::<{ slot::JUDGE }>(&context);
                missing()
            }
        )*

        /// Goes on to the dissector of the path's protocol, for the frame.
        #[inline(always)]
        pub(super) fn read_frame(context: &XdpContext, scratch: &Scratch) {
            let spoken = Protocol::from_code(scratch.path.protocol);
            $(if spoken == Some(Protocol::$name) {
                call::<{ slot::dissector(Protocol::$name) }>(context);
            })*
        }

        /// Goes on to the dissector of the path's protocol, for carry + payload.
        #[inline(always)]
        fn read_assembled(context: &XdpContext, scratch: &Scratch) {
            let spoken = Protocol::from_code(scratch.path.protocol);
            $(if spoken == Some(Protocol::$name) {
                call::<{ slot::assembled(Protocol::$name) }>(context);
            })*
        }
    };
}
with_dissectors!(dissectors);

/// Values of Modbus writes in the frame.
#[xdp(frags)]
pub fn modbus_values(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    if modbus::values::read(&Window::new(&context), scratch) {
        call::<{ slot::MODBUS_VALUES }>(&context);
        return missing();
    }
    call::<{ slot::JUDGE }>(&context);
    missing()
}

/// Lays carry and payload behind each other.
#[xdp(frags)]
pub fn assemble(context: XdpContext) -> u32 {
    let Some(scratch) = scratch() else {
        return missing();
    };
    if decide::assemble(&mut Maps::new(&context), scratch).is_none() {
        scratch.fault(Reason::BeyondInspection);
        call::<{ slot::JUDGE }>(&context);
        return missing();
    }
    read_assembled(&context, scratch);
    missing()
}

/// Values of Modbus writes in carry + payload.
#[xdp(frags)]
pub fn modbus_values_assembled(context: XdpContext) -> u32 {
    let (Some(scratch), Some(assembled)) = (scratch(), environment::whole()) else {
        return missing();
    };
    if modbus::values::read(&assembled, scratch) {
        call::<{ slot::MODBUS_VALUES_ASSEMBLED }>(&context);
        return missing();
    }
    call::<{ slot::JUDGE }>(&context);
    missing()
}
