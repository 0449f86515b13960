//! Local administration over the admin socket.
