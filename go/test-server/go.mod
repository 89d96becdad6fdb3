module modelswitch.dev/test-server

go 1.24
