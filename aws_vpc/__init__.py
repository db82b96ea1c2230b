"""A web server, a database and a warehouse in VPCs: deployed, reasoned about, and run whole on a laptop."""
