//! Wall clock and monotonic clock behind one door.
