-- Opens a definition in Neovim with the client that it is built with.
--
-- usage: BINARY=… FOLDER=… nvim --headless --clean -l neovim.lua (or -c "luafile …" before 0.9)

local binary, folder = os.getenv("BINARY"), os.getenv("FOLDER")
local failed = false

local function check(holds, what)
  if not holds then
    failed = true
    io.stderr:write("failed: " .. what .. "\n")
  end
end

local function codes()
  local found = {}
  for _, it in ipairs(vim.diagnostic.get(0)) do
    found[it.code or it.user_data.lsp.code] = true
  end
  return found
end

vim.cmd("edit " .. folder .. "/keys/svc-export.yaml")
local client = vim.lsp.start_client({ name = "cortexkey", cmd = { binary, "lsp" }, root_dir = folder })
check(client, "the server starts")
vim.lsp.buf_attach_client(0, client)
check(vim.wait(60000, function() return codes()["level-standard-forbidden"] end, 50), "findings are shown")

vim.api.nvim_buf_set_lines(0, 6, 7, true, { "  securityLevel: advanced" })
check(
  vim.wait(60000, function() return not codes()["level-standard-forbidden"] end, 50),
  "findings follow the buffer"
)
local parameters = { textDocument = { uri = vim.uri_from_bufnr(0) }, position = { line = 6, character = 4 } }
local answers = vim.lsp.buf_request_sync(0, "textDocument/hover", parameters, 60000)
check(answers and answers[client] and answers[client].result, "hover answers")
vim.lsp.stop_client(client)
check(vim.wait(60000, function() return not vim.lsp.get_client_by_id(client) end, 50), "the server ends")
if failed then
  vim.cmd("cquit")
end
print("ok  neovim\n")
vim.cmd("qall!")
