module modelswitch.dev/zoo-server

go 1.24
