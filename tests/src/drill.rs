//! The failure matrix: what can fail, what the traffic does then, what is reported, and the test that makes it fail.
//!
//! One table. docs/failure-matrix.md is written from it, `cargo xtask drill` runs its tests, and a test sees to it that
//! each of them exists.

/// One thing that can fail.
pub struct Row {
    pub cause: &'static str,
    /// What the frames do meanwhile.
    pub traffic: &'static str,
    /// Where a person sees it.
    pub reported: &'static str,
    /// Its tests: binary and name, as the test runner prints them.
    pub tests: &'static [&'static str],
}

/// A group of rows.
pub struct Part {
    pub title: &'static str,
    pub rows: &'static [Row],
}

const fn row(
    cause: &'static str,
    traffic: &'static str,
    reported: &'static str,
    tests: &'static [&'static str],
) -> Row {
    Row { cause, traffic, reported, tests }
}

/// The matrix.
pub const MATRIX: &[Part] = &[
    Part {
        title: "The controller",
        rows: &[
            row(
                "it crashes, is killed, is restarted, is replaced by another build of the same layout",
                "judged on by the last policy; no frame, no connection and no count is lost",
                "the start is in the audit trail; counters go on",
                &[
                    "drill restart::restarts_crashes_and_upgrades_lose_nothing_and_let_nothing_through",
                    "survive a_crash_changes_nothing_and_the_next_daemon_goes_on",
                ],
            ),
            row(
                "it is replaced by a version with another layout of the maps",
                "judged on by the old programs until each port is handed to the new one in one step; conversations are proved anew, reads pass meanwhile",
                "`grace_left` and `flows` in `status`; counters begin anew",
                &["drill restart::another_layout_takes_the_ports_over_without_opening_the_line"],
            ),
            row(
                "pins that it left are incomplete or of another kind",
                "as with another layout",
                "`attention`",
                &["drill restart::pins_that_do_not_fit_are_not_gone_on_with"],
            ),
            row(
                "it is stopped (SIGTERM, SIGINT)",
                "joined and judged on; `on_deadman` does not come",
                "the last log and status line says in which state the line is left",
                &[
                    "survive signals_end_the_daemon_in_order_and_leave_the_line_enforced",
                    "drill service::it_says_when_it_is_ready_that_it_is_alive_and_in_which_state_it_leaves_the_line",
                    "drill systemd::the_unit_starts_restarts_and_stops_the_controller_and_the_line_is_judged_throughout",
                ],
            ),
            row(
                "it is silent for longer than `deadman`",
                "`on_deadman`: `hold` judges on, `shadow` stops nothing, `block` lets nothing through; decided in the kernel",
                "commands find nobody on the socket; the service manager restarts it",
                &[
                    "drill restart::a_silent_controller_holds_calms_or_blocks_in_the_kernel",
                    "drill restart::a_deadman_that_was_taken_out_of_the_configuration_blocks_nothing",
                ],
            ),
            row(
                "it hangs",
                "as when it is silent",
                "the service manager misses the watchdog and restarts it",
                &[
                    "drill service::a_daemon_that_hangs_feeds_no_watchdog",
                    "drill systemd::systemd_kills_a_daemon_that_hangs_and_starts_it_again",
                ],
            ),
            row(
                "a second one is started",
                "not affected",
                "the second one is refused",
                &[
                    "drill restart::a_second_instance_is_refused_by_its_ports_too",
                    "survive a_second_instance_is_refused_and_disturbs_nothing",
                ],
            ),
            row(
                "the ring of events is full",
                "not affected",
                "`events.lost` and `attention`; the counters have all",
                &["drill restart::events_that_find_the_ring_full_are_counted"],
            ),
            row(
                "it lacks a capability",
                "not affected: nothing is changed",
                "it refuses to start and names what is missing; without CAP_NET_RAW it starts and says what it cannot do",
                &[
                    "drill least::each_capability_that_is_missing_is_named",
                    "drill least::without_raw_sockets_the_box_works_and_says_what_it_cannot",
                    "drill least::a_user_with_four_capabilities_runs_the_box_and_takes_it_up_again",
                ],
            ),
        ],
    },
    Part {
        title: "Power-on",
        rows: &[
            row(
                "power fails, `on_boot = \"last_confirmed\"`",
                "nothing passes until the last confirmed policy is on the ports, then judged",
                "the start is in the audit trail",
                &["drill boot::the_last_confirmed_policy_is_there_before_the_ports_are_joined"],
            ),
            row(
                "power fails while a change waits to be confirmed",
                "judged by what was confirmed before it",
                "`attention`: went back by itself",
                &["drill boot::nothing_unconfirmed_is_booted_into"],
            ),
            row(
                "neither the state nor its confirmed copy can be read, `last_confirmed`",
                "judged by the policy and mode of the configuration; nothing passes if these cannot be read either",
                "`attention`; or the start is refused, and says why",
                &["drill boot::without_any_copy_last_confirmed_takes_the_configured_policy_and_mode"],
            ),
            row(
                "the state cannot be read, `open`",
                "bypass: everything passes",
                "`attention` and alarm, until somebody applies a policy or sets a mode",
                &["drill boot::open_joins_the_line_before_anything_can_fail_and_stays_open_without_a_state"],
            ),
            row(
                "the start is refused, `open`",
                "plain: the ports are joined first",
                "the error of the start",
                &["drill boot::open_leaves_a_plain_line_when_the_start_is_refused"],
            ),
            row(
                "the start is refused, `closed`",
                "nothing passes: the ports are down",
                "the error of the start",
                &["drill boot::closed_keeps_the_ports_down_until_the_policy_is_there"],
            ),
            row(
                "the state cannot be read, `closed`",
                "nothing passes",
                "`attention` and alarm, until somebody applies a policy",
                &["drill boot::closed_lets_nothing_through_without_a_state"],
            ),
        ],
    },
    Part {
        title: "The state directory and the file systems",
        rows: &[
            row(
                "the disk is full",
                "not affected",
                "`attention`: what cannot be written and is forgotten at the next start; it is tried again",
                &["drill state::a_full_disk_stops_no_packet_and_no_start"],
            ),
            row(
                "the disk is read-only",
                "not affected",
                "`attention`",
                &["drill state::a_read_only_disk_stops_no_packet_and_no_start"],
            ),
            row(
                "the directory is missing and cannot be made",
                "not affected",
                "`attention`",
                &["drill state::a_state_directory_that_cannot_be_made_stops_no_start"],
            ),
            row(
                "the directory was wiped while the box was at work",
                "judged on in the mode that the kernel is in, by the configured policy",
                "`attention`",
                &["drill restart::a_state_that_was_lost_does_not_make_the_box_more_lenient"],
            ),
            row(
                "the state is damaged",
                "judged by the last confirmed state",
                "`attention`; the damaged file is kept beside",
                &["drill state::a_damaged_state_goes_back_to_the_confirmed_copy_and_says_so"],
            ),
            row(
                "the journal is damaged",
                "not affected",
                "`attention`; the damaged file is kept beside, a new one is begun",
                &["drill state::a_damaged_journal_is_set_aside_and_said"],
            ),
            row(
                "the BPF file system is not mounted",
                "nothing passes before the start, judged after it",
                "it is mounted; a user who may not is told to",
                &["drill state::the_bpf_file_system_is_mounted_where_it_is_not"],
            ),
        ],
    },
    Part {
        title: "Ports and bridge",
        rows: &[
            row(
                "a cable is out",
                "nothing passes; back in, conversations are proved anew, reads pass meanwhile",
                "`ports` in `status`, an event",
                &["drill ports::a_cable_that_was_out_is_reported_and_conversations_are_proved_anew"],
            ),
            row(
                "a port's interface goes away and comes back",
                "nothing passes until the program is on it again and it is joined, within two seconds; conversations are proved anew",
                "`attention` while it is gone, alarms when it went and when it is back",
                &["drill ports::a_port_that_was_removed_and_made_again_is_taken_up_at_once"],
            ),
            row(
                "the same while no controller runs",
                "nothing passes until the next controller has put the program on it",
                "the next start",
                &["drill ports::a_port_that_was_made_again_while_no_daemon_ran_is_not_joined_without_its_program"],
            ),
            row(
                "a port is renamed",
                "judged on",
                "`attention` and alarm",
                &["drill ports::a_renamed_port_is_judged_as_before_and_said"],
            ),
            row(
                "the bridge is removed, or a port is taken out of it",
                "nothing passes until it is joined again, within two seconds; judged on",
                "alarm",
                &[
                    "drill ports::a_bridge_that_was_removed_is_made_again",
                    "drill ports::a_port_that_was_taken_out_of_the_bridge_is_put_back",
                ],
            ),
            row(
                "another port is put into the bridge: a way round",
                "judged on between the two ports",
                "`attention` and alarm as long as it is there",
                &["drill ports::a_third_port_in_the_bridge_is_an_alarm"],
            ),
            row(
                "a program is taken off by force",
                "passes unjudged until it is on again, within two seconds; conversations are proved anew",
                "alarm",
                &["drill ports::a_program_that_was_taken_off_by_force_is_put_on_again"],
            ),
            row(
                "somebody else's XDP program is on a port at the start",
                "not affected: nothing is changed",
                "the start is refused, and says which program",
                &["refusals ports_that_cannot_be_taken"],
            ),
        ],
    },
];

/// Every test of the matrix.
pub fn tests() -> impl Iterator<Item = &'static str> {
    MATRIX.iter().flat_map(|part| part.rows).flat_map(|row| row.tests).copied()
}

/// The page.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# What fails, and what happens then\n\n\
         Generated from `tests/src/drill.rs`; `cargo xtask drill` makes each of these happen on this machine, under \
         traffic, and\nprints what came of it. \"Not affected\" means: judged on by the policy in force, no frame lost.\n",
    );
    for part in MATRIX {
        text.push_str(&format!(
            "\n## {}\n\n| What fails | What the traffic does | What is reported | Drilled by |\n|---|---|---|---|\n",
            part.title
        ));
        for row in part.rows {
            let tests: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
            text.push_str(&format!("| {} | {} | {} | {} |\n", row.cause, row.traffic, row.reported, tests.join(", ")));
        }
    }
    text.push_str(NOT_DRILLED);
    text
}

/// What no test here can make happen.
const NOT_DRILLED: &str = "\n## Not drilled\n\n\
    A kernel that crashes, a disk that lies about what it wrote, and a network card whose driver takes the link down when a \
    program is\nattached need a machine of their own. What a box without power does is up to its hardware: the line is \
    interrupted unless a\nbypass relay joins it.\n";
