"""The village map (一村一图): what it shows, where on paper or screen, by which symbols; pure, without I/O."""
