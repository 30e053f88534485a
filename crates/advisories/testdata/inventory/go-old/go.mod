module example.com/demo

require example.com/one v1.2.3
