//! Randomness behind one door.
