//! `warren`: joins this machine to a mesh.

fn main() -> std::process::ExitCode {
    agent::cli::main()
}
