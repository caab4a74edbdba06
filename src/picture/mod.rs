//! Facts to pictures: the window strip and the health chart.
