use clap::{CommandFactory as _, error::ErrorKind};

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn what_the_console_shows_is_understood() {
    let line = "warren up --server https://192.0.2.1 --server-ca-sha256 ab --auth-key k \
                --hostname atlas --advertise-tags tag:a,tag:b";
    assert!(matches!(parse(line).unwrap().command, Command::Up(_)));
}

#[test]
fn the_socket_may_be_named_before_and_after_the_command() {
    for line in [
        "warren --socket /s status --json",
        "warren status --json --socket /s",
        "warren ping --json --timeout 5 --socket /s atlas",
        "warren daemon --state-dir /d --socket /s --interface w1 --port 0",
    ] {
        assert_eq!(parse(line).unwrap().socket, PathBuf::from("/s"), "{line}");
    }
}

#[test]
fn the_daemon_has_the_usual_places() {
    let Command::Daemon(options) = parse("warren daemon").unwrap().command else {
        panic!("another command")
    };
    assert_eq!(options.state_dir, PathBuf::from(DEFAULT_STATE_DIR));
    assert_eq!(options.interface, DEFAULT_INTERFACE);
    assert_eq!(options.port, DEFAULT_PORT);
}

#[test]
fn every_command_explains_itself() {
    for command in Cli::command().get_subcommands() {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{command} {argument}");
        }
    }
}

#[test]
fn nonsense_is_refused() {
    for (line, kind) in [
        (
            "warren",
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ),
        ("warren fly", ErrorKind::InvalidSubcommand),
        ("warren ping", ErrorKind::MissingRequiredArgument),
        ("warren daemon --port 99999", ErrorKind::ValueValidation),
        ("warren ip -4 -6", ErrorKind::ArgumentConflict),
    ] {
        assert_eq!(parse(line).unwrap_err().kind(), kind, "{line}");
    }
}
