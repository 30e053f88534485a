module example.com/demo // the project

go 1.21

toolchain go1.22.3

require example.com/one v1.2.3

require (
	"example.com/quoted" v0.1.0
	example.com/two/v2 v2.0.0+incompatible // indirect
	example.com/Old v1.0.0
	example.com/moved v1.0.0
	example.com/moved2 v1.5.0
	example.com/banned v0.9.0
	example.com/half
)

replace example.com/Old => ../old

replace (
	example.com/moved => example.com/new v1.1.0
	example.com/moved2 v1.4.0 => example.com/never v1.0.0
)

exclude example.com/banned v0.9.0

retract [v1.0.0, v1.1.0] // mistakes

tool example.com/one/cmd
