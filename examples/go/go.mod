module github.com/cortexkey/cortexkey/examples/go

go 1.24

require github.com/cortexkey/cortexkey/go v0.0.0

replace github.com/cortexkey/cortexkey/go => ../../go
