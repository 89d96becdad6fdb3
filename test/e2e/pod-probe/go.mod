module modelswitch/pod-probe

go 1.24
