module github.com/cortexkey/cortexkey/go

go 1.24
