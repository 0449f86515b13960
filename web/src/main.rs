//! The console's program: mounts the library's pages.

fn main() {
    web::mount();
}
