"""Ways in which honest notebooks differ from the released one: in their cells, and in the files that editors write."""
